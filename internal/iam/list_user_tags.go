package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listUserTags lists a user's tags.
func (s *Service) listUserTags() *op.Operation[api.ListUserTagsInput, api.ListUserTagsOutput] {
	return &op.Operation[api.ListUserTagsInput, api.ListUserTagsOutput]{
		Spec: op.Spec{Service: service, Name: "ListUserTags", Resource: byUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListUserTagsInput) ([]authz.Check, error) {
			if err := invalid(required("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("ListUserTags "+*in.UserName, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return s.forUser(ctx, "ListUserTags", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListUserTagsInput) (*api.ListUserTagsOutput, error) {
			l, err := s.listing("ListUserTags "+*in.UserName, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var rows []Tag
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				u, err := s.user(ctx, tx, g, "ListUserTags", *in.UserName)
				if err == nil {
					rows, err = tx.Tags(ctx, s.Account, u.ID, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, func(t Tag) string { return t.Key })
			return &api.ListUserTagsOutput{Tags: shownTags(rows), Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
