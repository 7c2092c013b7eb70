package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteUserPolicy removes a policy that is embedded in a user.
func (s *Service) deleteUserPolicy() *op.Operation[api.DeleteUserPolicyInput, api.DeleteUserPolicyOutput] {
	return &op.Operation[api.DeleteUserPolicyInput, api.DeleteUserPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteUserPolicy", Resource: byUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteUserPolicyInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, existingUserNameType), required("policyName", in.PolicyName, policyNameType))
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "DeleteUserPolicy", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteUserPolicyInput) (*api.DeleteUserPolicyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				row, err := s.user(ctx, tx, g, "DeleteUserPolicy", *in.UserName)
				if err != nil {
					return err
				}
				return noSuchPolicy(tx.DeleteInlinePolicy(ctx, s.Account, row.ID, *in.PolicyName), "user", *in.PolicyName)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteUserPolicyOutput{}, nil
		},
	}
}
