package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// putUserPolicy embeds a policy in a user, or replaces the one of that name.
func (s *Service) putUserPolicy() *op.Operation[api.PutUserPolicyInput, api.PutUserPolicyOutput] {
	return &op.Operation[api.PutUserPolicyInput, api.PutUserPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "PutUserPolicy", Resource: byUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.PutUserPolicyInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, existingUserNameType), required("policyName", in.PolicyName, policyNameType),
				required("policyDocument", in.PolicyDocument, policyDocumentType))
			if err != nil {
				return nil, err
			}
			if err := parseable(*in.PolicyName, *in.PolicyDocument); err != nil {
				return nil, err
			}
			return s.forUser(ctx, "PutUserPolicy", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.PutUserPolicyInput) (*api.PutUserPolicyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.user(ctx, tx, g, "PutUserPolicy", *in.UserName)
				if err != nil {
					return err
				}
				owner := policyOwner{kind: "user", id: row.ID, name: row.Name, most: maxUserPolicySize}
				return s.embed(ctx, tx, owner, InlinePolicy{Name: *in.PolicyName, Document: *in.PolicyDocument})
			})
			if err != nil {
				return nil, err
			}
			return &api.PutUserPolicyOutput{}, nil
		},
	}
}
