package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// getGroupPolicy shows a policy that is embedded in a group, percent-encoded.
func (s *Service) getGroupPolicy() *op.Operation[api.GetGroupPolicyInput, api.GetGroupPolicyOutput] {
	return &op.Operation[api.GetGroupPolicyInput, api.GetGroupPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "GetGroupPolicy", Resource: byGroupName},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetGroupPolicyInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType), required("policyName", in.PolicyName, policyNameType))
			if err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "GetGroupPolicy", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetGroupPolicyInput) (*api.GetGroupPolicyOutput, error) {
			var p InlinePolicy
			err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				row, err := s.group(ctx, tx, g, "GetGroupPolicy", *in.GroupName)
				if err != nil {
					return err
				}
				p, err = tx.InlinePolicy(ctx, s.Account, row.ID, *in.PolicyName)
				return noSuchPolicy(err, "group", *in.PolicyName)
			})
			if err != nil {
				return nil, err
			}
			return &api.GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, nil
		},
	}
}
