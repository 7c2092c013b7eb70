package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// getUser shows a user; without a name, the caller.
func (s *Service) getUser() *op.Operation[api.GetUserInput, api.GetUserOutput] {
	return &op.Operation[api.GetUserInput, api.GetUserOutput]{
		Spec: op.Spec{Service: service, Name: "GetUser", Resource: byOwnUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetUserInput) ([]authz.Check, error) {
			if err := invalid(optional("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "GetUser", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetUserInput) (*api.GetUserOutput, error) {
			name, err := ownName(g.Caller(), in.UserName)
			if err != nil {
				return nil, err
			}
			var shown types.User
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				u, err := s.user(ctx, tx, g, "GetUser", name)
				if err != nil {
					return err
				}
				tags, err := tx.Tags(ctx, s.Account, u.ID, Page{Limit: maxTags})
				shown = s.shownUser(u)
				shown.Tags = shownTags(tags)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &api.GetUserOutput{User: &shown}, nil
		},
	}
}
