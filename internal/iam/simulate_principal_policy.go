package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// simulatePrincipalPolicy says what the policies of a user or a group decide.
func (s *Service) simulatePrincipalPolicy() *op.Operation[api.SimulatePrincipalPolicyInput, api.SimulatePrincipalPolicyOutput] {
	return &op.Operation[api.SimulatePrincipalPolicyInput, api.SimulatePrincipalPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "SimulatePrincipalPolicy", Resource: byPolicySource, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.SimulatePrincipalPolicyInput) ([]authz.Check, error) {
			if err := invalid(required("policySourceArn", in.PolicySourceArn, arnType)); err != nil {
				return nil, err
			}
			src, err := parsePolicySource(*in.PolicySourceArn)
			if err != nil {
				return nil, err
			}
			if _, err := s.simulation(ofPrincipal(in)); err != nil {
				return nil, err
			}
			return s.forSource(ctx, "SimulatePrincipalPolicy", src)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.SimulatePrincipalPolicyInput) (*api.SimulatePrincipalPolicyOutput, error) {
			src, err := parsePolicySource(*in.PolicySourceArn)
			if err != nil {
				return nil, err
			}
			m, err := s.simulation(ofPrincipal(in))
			if err != nil {
				return nil, err
			}
			attached, err := s.policiesOf(ctx, src)
			if err != nil {
				return nil, err
			}
			results, marker, err := m.results(ctx, s, attached)
			if err != nil {
				return nil, err
			}
			return &api.SimulatePrincipalPolicyOutput{EvaluationResults: results, Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}

func ofPrincipal(in *api.SimulatePrincipalPolicyInput) simulationInput {
	return simulationInput{
		purpose: "SimulatePrincipalPolicy " + *in.PolicySourceArn,
		actions: in.ActionNames, resources: in.ResourceArns,
		policies: in.PolicyInputList, boundary: in.PermissionsBoundaryPolicyInputList,
		context: in.ContextEntries, caller: in.CallerArn, owner: in.ResourceOwner,
		resourcePolicy: in.ResourcePolicy, handling: in.ResourceHandlingOption,
		excluded: len(in.PolicyExclusionList) > 0,
		maxItems: in.MaxItems, marker: in.Marker,
	}
}
