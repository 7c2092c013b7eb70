package iam

import (
	"context"
	"maps"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// tagUser adds tags to a user, or replaces those whose keys are the same without regard
// to case.
func (s *Service) tagUser() *op.Operation[api.TagUserInput, api.TagUserOutput] {
	return &op.Operation[api.TagUserInput, api.TagUserOutput]{
		Spec: op.Spec{Service: service, Name: "TagUser", Resource: byUserName, Keys: tagUserKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.TagUserInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, existingUserNameType), given("tags", in.Tags), tags(in.Tags))
			if err == nil {
				err = distinct(in.Tags)
			}
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "TagUser", *in.UserName, requestTags(in.Tags)...)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.TagUserInput) (*api.TagUserOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.user(ctx, tx, g, "TagUser", *in.UserName)
				if err != nil {
					return err
				}
				for _, t := range in.Tags {
					if err := tx.PutTag(ctx, s.Account, u.ID, Tag{Key: *t.Key, Value: *t.Value}); err != nil {
						return err
					}
				}
				after, err := tx.Tags(ctx, s.Account, u.ID, Page{Limit: maxTags + 1})
				if err == nil && len(after) > maxTags {
					return errLimitExceeded.New("The number of tags has reached the maximum limit.")
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			return &api.TagUserOutput{}, nil
		},
	}
}

// tagUserKeys are the condition keys of an operation on a user that is given tags.
var tagUserKeys = func() map[string]string {
	all := maps.Clone(userKeys)
	maps.Copy(all, newTagKeys)
	return all
}()
