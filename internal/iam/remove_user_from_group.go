package iam

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// removeUserFromGroup ends a membership.
func (s *Service) removeUserFromGroup() *op.Operation[api.RemoveUserFromGroupInput, api.RemoveUserFromGroupOutput] {
	return &op.Operation[api.RemoveUserFromGroupInput, api.RemoveUserFromGroupOutput]{
		Spec: op.Spec{Service: service, Name: "RemoveUserFromGroup", Resource: byGroupName, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.RemoveUserFromGroupInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType), required("userName", in.UserName, existingUserNameType))
			if err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "RemoveUserFromGroup", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.RemoveUserFromGroupInput) (*api.RemoveUserFromGroupOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.group(ctx, tx, g, "RemoveUserFromGroup", *in.GroupName)
				if err != nil {
					return err
				}
				u, err := s.member(ctx, tx, *in.UserName)
				if err != nil {
					return err
				}
				err = tx.DeleteMember(ctx, s.Account, row.ID, u.ID)
				if errors.Is(err, ErrNotFound) {
					return errNoSuchEntity.New("User %s is not in group %s.", u.Name, row.Name)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			return &api.RemoveUserFromGroupOutput{}, nil
		},
	}
}
