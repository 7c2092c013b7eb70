package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/policy"
)

// getContextKeysForCustomPolicy lists the condition keys that policies look at.
func (s *Service) getContextKeysForCustomPolicy() *op.Operation[api.GetContextKeysForCustomPolicyInput, api.GetContextKeysForCustomPolicyOutput] {
	return &op.Operation[api.GetContextKeysForCustomPolicyInput, api.GetContextKeysForCustomPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "GetContextKeysForCustomPolicy", Resource: noResource},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetContextKeysForCustomPolicyInput) ([]authz.Check, error) {
			if err := invalid(given("policyInputList", in.PolicyInputList)); err != nil {
				return nil, err
			}
			if _, err := parseInput("PolicyInputList", policy.Identity, in.PolicyInputList); err != nil {
				return nil, err
			}
			return []authz.Check{{Action: "iam:GetContextKeysForCustomPolicy"}}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetContextKeysForCustomPolicyInput) (*api.GetContextKeysForCustomPolicyOutput, error) {
			policies, err := parseInput("PolicyInputList", policy.Identity, in.PolicyInputList)
			if err != nil {
				return nil, err
			}
			return &api.GetContextKeysForCustomPolicyOutput{ContextKeyNames: policy.ContextKeys(policies...)}, nil
		},
	}
}
