package iam

import (
	"cmp"
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteUser removes a user who has nothing left.
func (s *Service) deleteUser() *op.Operation[api.DeleteUserInput, api.DeleteUserOutput] {
	return &op.Operation[api.DeleteUserInput, api.DeleteUserOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteUser", Resource: byUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteUserInput) ([]authz.Check, error) {
			if err := invalid(required("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			return s.forUser(ctx, "DeleteUser", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteUserInput) (*api.DeleteUserOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.user(ctx, tx, g, "DeleteUser", *in.UserName)
				if err != nil {
					return err
				}
				if err := s.nothingLeft(ctx, tx, u); err != nil {
					return err
				}
				tags, err := tx.Tags(ctx, s.Account, u.ID, Page{Limit: maxTags})
				if err != nil {
					return err
				}
				for _, t := range tags {
					if err := tx.DeleteTag(ctx, s.Account, u.ID, t.Key); err != nil {
						return err
					}
				}
				return tx.DeleteUser(ctx, s.Account, u.ID)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteUserOutput{}, nil
		},
	}
}

// nothingLeft refuses to delete a user whom something still refers to. Tags go with
// the user.
func (s *Service) nothingLeft(ctx context.Context, tx Reader, u User) error {
	one := Page{Limit: 1}
	policies, err := tx.InlinePolicies(ctx, s.Account, u.ID, one)
	if err != nil || len(policies) > 0 {
		return cmp.Or(err, undeletable("delete policies"))
	}
	keys, err := tx.AccessKeys(ctx, s.Account, u.ID, one)
	if err != nil || len(keys) > 0 {
		return cmp.Or(err, undeletable("delete access keys"))
	}
	groups, err := tx.GroupsOf(ctx, s.Account, u.ID, one)
	if err != nil || len(groups) > 0 {
		return cmp.Or(err, undeletable("remove users from group"))
	}
	credentials, err := tx.ServiceCredentials(ctx, s.Account, u.ID, "", one)
	if err != nil || len(credentials) > 0 {
		return cmp.Or(err, undeletable("remove referenced objects"))
	}
	sshKeys, err := tx.SSHPublicKeys(ctx, s.Account, u.ID, one)
	if err != nil || len(sshKeys) > 0 {
		return cmp.Or(err, undeletable("remove referenced objects"))
	}
	return nil
}
