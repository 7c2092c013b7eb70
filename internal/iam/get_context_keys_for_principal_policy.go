package iam

import (
	"context"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/policy"
)

// getContextKeysForPrincipalPolicy lists the condition keys that the policies of a user
// or a group look at, and those of policies that are given.
func (s *Service) getContextKeysForPrincipalPolicy() *op.Operation[api.GetContextKeysForPrincipalPolicyInput, api.GetContextKeysForPrincipalPolicyOutput] {
	return &op.Operation[api.GetContextKeysForPrincipalPolicyInput, api.GetContextKeysForPrincipalPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "GetContextKeysForPrincipalPolicy", Resource: byPolicySource, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetContextKeysForPrincipalPolicyInput) ([]authz.Check, error) {
			if err := invalid(required("policySourceArn", in.PolicySourceArn, arnType)); err != nil {
				return nil, err
			}
			src, err := parsePolicySource(*in.PolicySourceArn)
			if err != nil {
				return nil, err
			}
			if _, err := parseInput("PolicyInputList", policy.Identity, in.PolicyInputList); err != nil {
				return nil, err
			}
			return s.forSource(ctx, "GetContextKeysForPrincipalPolicy", src)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetContextKeysForPrincipalPolicyInput) (*api.GetContextKeysForPrincipalPolicyOutput, error) {
			src, err := parsePolicySource(*in.PolicySourceArn)
			if err != nil {
				return nil, err
			}
			policies, err := parseInput("PolicyInputList", policy.Identity, in.PolicyInputList)
			if err != nil {
				return nil, err
			}
			attached, err := s.policiesOf(ctx, src)
			if err != nil {
				return nil, err
			}
			return &api.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: policy.ContextKeys(slices.Concat(attached.Identity, policies)...)}, nil
		},
	}
}
