package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listGroups lists the groups under a path.
func (s *Service) listGroups() *op.Operation[api.ListGroupsInput, api.ListGroupsOutput] {
	return &op.Operation[api.ListGroupsInput, api.ListGroupsOutput]{
		Spec: op.Spec{Service: service, Name: "ListGroups", Resource: noResource},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListGroupsInput) ([]authz.Check, error) {
			err := invalid(optional("pathPrefix", in.PathPrefix, pathPrefixType))
			if err != nil {
				return nil, err
			}
			prefix := textOr(in.PathPrefix, "/")
			if _, err := s.listing("ListGroups "+prefix, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return []authz.Check{{Action: "iam:ListGroups"}}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListGroupsInput) (*api.ListGroupsOutput, error) {
			prefix := textOr(in.PathPrefix, "/")
			l, err := s.listing("ListGroups "+prefix, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var rows []Group
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
				rows, err = tx.Groups(ctx, s.Account, prefix, l.page())
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, func(g Group) string { return g.Name })
			return &api.ListGroupsOutput{Groups: each(rows, s.shownGroup), Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
