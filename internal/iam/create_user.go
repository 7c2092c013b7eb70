package iam

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
)

// createUser makes a user, who may do nothing yet.
func (s *Service) createUser() *op.Operation[api.CreateUserInput, api.CreateUserOutput] {
	return &op.Operation[api.CreateUserInput, api.CreateUserOutput]{
		Spec: op.Spec{Service: service, Name: "CreateUser", Resource: "path and userName", Keys: newTagKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.CreateUserInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, userNameType), optional("path", in.Path, pathType), tags(in.Tags))
			if err == nil {
				err = distinct(in.Tags)
			}
			if err != nil {
				return nil, err
			}
			return []authz.Check{{
				Action:   "iam:CreateUser",
				Resource: s.userARN(textOr(in.Path, "/"), *in.UserName),
				Values:   requestTags(in.Tags),
			}}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.CreateUserInput) (*api.CreateUserOutput, error) {
			if in.PermissionsBoundary != nil {
				// There are no managed policies that could be one.
				return nil, errNoSuchEntity.New("Scope ARN: %s does not exist or is not attachable.", *in.PermissionsBoundary)
			}
			u := User{Account: s.Account, ID: secret.NewID(secret.User), Name: *in.UserName, Path: textOr(in.Path, "/"), Created: s.now()}
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				n, err := tx.CountUsers(ctx, s.Account)
				if err != nil {
					return err
				}
				if n >= maxUsers {
					return overQuota("UsersPerAccount", maxUsers)
				}
				if err := tx.InsertUser(ctx, u); errors.Is(err, ErrExists) {
					return userExists(u.Name)
				} else if err != nil {
					return err
				}
				for _, t := range in.Tags {
					if err := tx.PutTag(ctx, s.Account, u.ID, Tag{Key: *t.Key, Value: *t.Value}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			shown := s.shownUser(u)
			shown.Tags = in.Tags
			return &api.CreateUserOutput{User: &shown}, nil
		},
	}
}
