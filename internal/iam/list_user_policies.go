package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listUserPolicies lists the names of the policies that are embedded in a user.
func (s *Service) listUserPolicies() *op.Operation[api.ListUserPoliciesInput, api.ListUserPoliciesOutput] {
	return &op.Operation[api.ListUserPoliciesInput, api.ListUserPoliciesOutput]{
		Spec: op.Spec{Service: service, Name: "ListUserPolicies", Resource: byUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListUserPoliciesInput) ([]authz.Check, error) {
			if err := invalid(required("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("ListUserPolicies "+*in.UserName, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return s.forUser(ctx, "ListUserPolicies", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListUserPoliciesInput) (*api.ListUserPoliciesOutput, error) {
			l, err := s.listing("ListUserPolicies "+*in.UserName, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var rows []InlinePolicy
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				row, err := s.user(ctx, tx, g, "ListUserPolicies", *in.UserName)
				if err == nil {
					rows, err = tx.InlinePolicies(ctx, s.Account, row.ID, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, policyName)
			return &api.ListUserPoliciesOutput{PolicyNames: each(rows, policyName), Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
