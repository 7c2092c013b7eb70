package iam

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// updateUser renames or moves a user. The unique ID stays and the ARN changes, so both the
// old and the new ARN must be allowed.
func (s *Service) updateUser() *op.Operation[api.UpdateUserInput, api.UpdateUserOutput] {
	return &op.Operation[api.UpdateUserInput, api.UpdateUserOutput]{
		Spec: op.Spec{Service: service, Name: "UpdateUser", Resource: "userName, and newPath and newUserName", Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UpdateUserInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, existingUserNameType),
				optional("newPath", in.NewPath, pathType), optional("newUserName", in.NewUserName, userNameType))
			if err != nil {
				return nil, err
			}
			old, tags, err := s.peek(ctx, *in.UserName)
			if err != nil {
				return nil, err
			}
			checks := []authz.Check{s.userCheck("UpdateUser", old, tags)}
			if after := updatedUser(old, in); after != old {
				checks = append(checks, s.userCheck("UpdateUser", after, tags))
			}
			return checks, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdateUserInput) (*api.UpdateUserOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				old, err := s.user(ctx, tx, g, "UpdateUser", *in.UserName)
				if err != nil {
					return err
				}
				u := updatedUser(old, in)
				if !g.CoversAction("iam:UpdateUser", s.userARN(u.Path, u.Name)) {
					return changedMeanwhile("user", old.Name)
				}
				if err := tx.UpdateUser(ctx, u); errors.Is(err, ErrExists) {
					return userExists(u.Name)
				} else if err != nil {
					return err
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			return &api.UpdateUserOutput{}, nil
		},
	}
}

// updatedUser is the user after the update.
func updatedUser(u User, in *api.UpdateUserInput) User {
	u.Path = textOr(in.NewPath, u.Path)
	u.Name = textOr(in.NewUserName, u.Name)
	return u
}
