package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listUsers lists the users under a path, without their tags.
func (s *Service) listUsers() *op.Operation[api.ListUsersInput, api.ListUsersOutput] {
	return &op.Operation[api.ListUsersInput, api.ListUsersOutput]{
		Spec: op.Spec{Service: service, Name: "ListUsers", Resource: noResource},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListUsersInput) ([]authz.Check, error) {
			err := invalid(optional("pathPrefix", in.PathPrefix, pathPrefixType))
			if err != nil {
				return nil, err
			}
			prefix := textOr(in.PathPrefix, "/")
			if _, err := s.listing("ListUsers "+prefix, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return []authz.Check{{Action: "iam:ListUsers"}}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListUsersInput) (*api.ListUsersOutput, error) {
			prefix := textOr(in.PathPrefix, "/")
			l, err := s.listing("ListUsers "+prefix, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var rows []User
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
				rows, err = tx.Users(ctx, s.Account, prefix, l.page())
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, func(u User) string { return u.Name })
			return &api.ListUsersOutput{Users: each(rows, s.shownUser), Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
