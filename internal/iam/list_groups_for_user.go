package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listGroupsForUser lists the groups that a user is in.
func (s *Service) listGroupsForUser() *op.Operation[api.ListGroupsForUserInput, api.ListGroupsForUserOutput] {
	return &op.Operation[api.ListGroupsForUserInput, api.ListGroupsForUserOutput]{
		Spec: op.Spec{Service: service, Name: "ListGroupsForUser", Resource: byUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListGroupsForUserInput) ([]authz.Check, error) {
			if err := invalid(required("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("ListGroupsForUser "+*in.UserName, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return s.forUser(ctx, "ListGroupsForUser", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListGroupsForUserInput) (*api.ListGroupsForUserOutput, error) {
			l, err := s.listing("ListGroupsForUser "+*in.UserName, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var rows []Group
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				u, err := s.user(ctx, tx, g, "ListGroupsForUser", *in.UserName)
				if err == nil {
					rows, err = tx.GroupsOf(ctx, s.Account, u.ID, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, func(g Group) string { return g.Name })
			return &api.ListGroupsForUserOutput{Groups: each(rows, s.shownGroup), Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
