package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// putGroupPolicy embeds a policy in a group, or replaces the one of that name.
func (s *Service) putGroupPolicy() *op.Operation[api.PutGroupPolicyInput, api.PutGroupPolicyOutput] {
	return &op.Operation[api.PutGroupPolicyInput, api.PutGroupPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "PutGroupPolicy", Resource: byGroupName, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.PutGroupPolicyInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType), required("policyName", in.PolicyName, policyNameType),
				required("policyDocument", in.PolicyDocument, policyDocumentType))
			if err != nil {
				return nil, err
			}
			if err := parseable(*in.PolicyName, *in.PolicyDocument); err != nil {
				return nil, err
			}
			return s.forGroup(ctx, "PutGroupPolicy", *in.GroupName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.PutGroupPolicyInput) (*api.PutGroupPolicyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.group(ctx, tx, g, "PutGroupPolicy", *in.GroupName)
				if err != nil {
					return err
				}
				owner := policyOwner{kind: "group", id: row.ID, name: row.Name, most: maxGroupPolicySize}
				return s.embed(ctx, tx, owner, InlinePolicy{Name: *in.PolicyName, Document: *in.PolicyDocument})
			})
			if err != nil {
				return nil, err
			}
			return &api.PutGroupPolicyOutput{}, nil
		},
	}
}
