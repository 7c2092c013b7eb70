package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteGroupPolicy removes a policy that is embedded in a group.
func (s *Service) deleteGroupPolicy() *op.Operation[api.DeleteGroupPolicyInput, api.DeleteGroupPolicyOutput] {
	return &op.Operation[api.DeleteGroupPolicyInput, api.DeleteGroupPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteGroupPolicy", Resource: byGroupName, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteGroupPolicyInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType), required("policyName", in.PolicyName, policyNameType))
			if err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "DeleteGroupPolicy", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteGroupPolicyInput) (*api.DeleteGroupPolicyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.group(ctx, tx, g, "DeleteGroupPolicy", *in.GroupName)
				if err != nil {
					return err
				}
				return noSuchPolicy(tx.DeleteInlinePolicy(ctx, s.Account, row.ID, *in.PolicyName), "group", *in.PolicyName)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteGroupPolicyOutput{}, nil
		},
	}
}
