package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// getGroup shows a group and, page by page, its users.
func (s *Service) getGroup() *op.Operation[api.GetGroupInput, api.GetGroupOutput] {
	return &op.Operation[api.GetGroupInput, api.GetGroupOutput]{
		Spec: op.Spec{Service: service, Name: "GetGroup", Resource: byGroupName},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetGroupInput) ([]authz.Check, error) {
			if err := invalid(required("groupName", in.GroupName, groupNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("GetGroup "+*in.GroupName, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "GetGroup", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetGroupInput) (*api.GetGroupOutput, error) {
			l, err := s.listing("GetGroup "+*in.GroupName, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var row Group
			var members []User
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
				if row, err = s.group(ctx, tx, g, "GetGroup", *in.GroupName); err == nil {
					members, err = tx.Members(ctx, s.Account, row.ID, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			members, marker := cut(s, l, members, func(u User) string { return u.Name })
			return &api.GetGroupOutput{
				Group: new(s.shownGroup(row)), Users: each(members, s.shownUser), Marker: marker, IsTruncated: marker != nil,
			}, nil
		},
	}
}
