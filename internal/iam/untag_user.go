package iam

import (
	"context"
	"errors"
	"maps"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// untagUser removes tags from a user. A key that the user does not have is no error.
func (s *Service) untagUser() *op.Operation[api.UntagUserInput, api.UntagUserOutput] {
	return &op.Operation[api.UntagUserInput, api.UntagUserOutput]{
		Spec: op.Spec{Service: service, Name: "UntagUser", Resource: byUserName, Keys: untagUserKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UntagUserInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, existingUserNameType), given("tagKeys", in.TagKeys), tagKeys(in.TagKeys))
			if err != nil {
				return nil, err
			}
			var values []authz.Value
			if len(in.TagKeys) > 0 {
				values = append(values, authz.Value{Key: "aws:TagKeys", Values: in.TagKeys})
			}
			return s.forUser(ctx, "UntagUser", *in.UserName, values...)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UntagUserInput) (*api.UntagUserOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.user(ctx, tx, g, "UntagUser", *in.UserName)
				if err != nil {
					return err
				}
				for _, k := range in.TagKeys {
					if err := tx.DeleteTag(ctx, s.Account, u.ID, k); err != nil && !errors.Is(err, ErrNotFound) {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			return &api.UntagUserOutput{}, nil
		},
	}
}

// untagUserKeys are the condition keys of the removal of tags.
var untagUserKeys = func() map[string]string {
	all := maps.Clone(userKeys)
	all["aws:TagKeys"] = "tagKeys"
	return all
}()
