package iam

import (
	"context"
	"errors"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// addUserToGroup makes a user a member of a group; one who is already is no error. As in
// AWS the permission is one on the group alone.
func (s *Service) addUserToGroup() *op.Operation[api.AddUserToGroupInput, api.AddUserToGroupOutput] {
	return &op.Operation[api.AddUserToGroupInput, api.AddUserToGroupOutput]{
		Spec: op.Spec{Service: service, Name: "AddUserToGroup", Resource: byGroupName, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.AddUserToGroupInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType), required("userName", in.UserName, existingUserNameType))
			if err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "AddUserToGroup", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.AddUserToGroupInput) (*api.AddUserToGroupOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.group(ctx, tx, g, "AddUserToGroup", *in.GroupName)
				if err != nil {
					return err
				}
				u, err := s.member(ctx, tx, *in.UserName)
				if err != nil {
					return err
				}
				groups, err := tx.GroupsOf(ctx, s.Account, u.ID, Page{Limit: maxGroups})
				if err != nil || slices.Contains(groups, row) {
					return err
				}
				if len(groups) >= maxGroupsOfUser {
					return overQuota("GroupsPerUser", maxGroupsOfUser)
				}
				return tx.InsertMember(ctx, s.Account, row.ID, u.ID)
			})
			if err != nil {
				return nil, err
			}
			return &api.AddUserToGroupOutput{}, nil
		},
	}
}

// member reads the user of a request whose permission is one on a group.
func (s *Service) member(ctx context.Context, tx Reader, name string) (User, error) {
	u, err := tx.User(ctx, s.Account, name)
	if errors.Is(err, ErrNotFound) {
		return User{}, noSuchUser(name)
	}
	return u, err
}
