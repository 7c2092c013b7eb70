package iam

import (
	"cmp"
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteGroup removes a group that has neither users nor policies.
func (s *Service) deleteGroup() *op.Operation[api.DeleteGroupInput, api.DeleteGroupOutput] {
	return &op.Operation[api.DeleteGroupInput, api.DeleteGroupOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteGroup", Resource: byGroupName, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteGroupInput) ([]authz.Check, error) {
			if err := invalid(required("groupName", in.GroupName, groupNameType)); err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "DeleteGroup", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteGroupInput) (*api.DeleteGroupOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.group(ctx, tx, g, "DeleteGroup", *in.GroupName)
				if err != nil {
					return err
				}
				members, err := tx.Members(ctx, s.Account, row.ID, Page{Limit: 1})
				if err != nil || len(members) > 0 {
					return cmp.Or(err, undeletable("remove users from group"))
				}
				policies, err := tx.InlinePolicies(ctx, s.Account, row.ID, Page{Limit: 1})
				if err != nil || len(policies) > 0 {
					return cmp.Or(err, undeletable("delete policies"))
				}
				return tx.DeleteGroup(ctx, s.Account, row.ID)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteGroupOutput{}, nil
		},
	}
}
