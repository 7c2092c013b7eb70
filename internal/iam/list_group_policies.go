package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listGroupPolicies lists the names of the policies that are embedded in a group.
func (s *Service) listGroupPolicies() *op.Operation[api.ListGroupPoliciesInput, api.ListGroupPoliciesOutput] {
	return &op.Operation[api.ListGroupPoliciesInput, api.ListGroupPoliciesOutput]{
		Spec: op.Spec{Service: service, Name: "ListGroupPolicies", Resource: byGroupName},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListGroupPoliciesInput) ([]authz.Check, error) {
			if err := invalid(required("groupName", in.GroupName, groupNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("ListGroupPolicies "+*in.GroupName, in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "ListGroupPolicies", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListGroupPoliciesInput) (*api.ListGroupPoliciesOutput, error) {
			l, err := s.listing("ListGroupPolicies "+*in.GroupName, in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var rows []InlinePolicy
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				row, err := s.group(ctx, tx, g, "ListGroupPolicies", *in.GroupName)
				if err == nil {
					rows, err = tx.InlinePolicies(ctx, s.Account, row.ID, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, policyName)
			return &api.ListGroupPoliciesOutput{PolicyNames: each(rows, policyName), Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
