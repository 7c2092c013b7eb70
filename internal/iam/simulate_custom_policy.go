package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/policy"
)

// simulateCustomPolicy says what policies that are given would decide.
func (s *Service) simulateCustomPolicy() *op.Operation[api.SimulateCustomPolicyInput, api.SimulateCustomPolicyOutput] {
	return &op.Operation[api.SimulateCustomPolicyInput, api.SimulateCustomPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "SimulateCustomPolicy", Resource: noResource},
		Checks: func(ctx context.Context, c authz.Caller, in *api.SimulateCustomPolicyInput) ([]authz.Check, error) {
			if err := invalid(given("policyInputList", in.PolicyInputList)); err != nil {
				return nil, err
			}
			if _, err := s.simulation(ofCustom(in)); err != nil {
				return nil, err
			}
			return []authz.Check{{Action: "iam:SimulateCustomPolicy"}}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.SimulateCustomPolicyInput) (*api.SimulateCustomPolicyOutput, error) {
			m, err := s.simulation(ofCustom(in))
			if err != nil {
				return nil, err
			}
			results, marker, err := m.results(ctx, s, &policy.Situation{})
			if err != nil {
				return nil, err
			}
			return &api.SimulateCustomPolicyOutput{EvaluationResults: results, Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}

func ofCustom(in *api.SimulateCustomPolicyInput) simulationInput {
	return simulationInput{
		purpose: "SimulateCustomPolicy",
		actions: in.ActionNames, resources: in.ResourceArns,
		policies: in.PolicyInputList, boundary: in.PermissionsBoundaryPolicyInputList,
		context: in.ContextEntries, caller: in.CallerArn, owner: in.ResourceOwner,
		resourcePolicy: in.ResourcePolicy, handling: in.ResourceHandlingOption,
		organized: len(in.OrderedOrganizationPolicyInputList) > 0,
		maxItems:  in.MaxItems, marker: in.Marker,
	}
}
