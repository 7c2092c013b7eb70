package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// getUserPolicy shows a policy that is embedded in a user, percent-encoded.
func (s *Service) getUserPolicy() *op.Operation[api.GetUserPolicyInput, api.GetUserPolicyOutput] {
	return &op.Operation[api.GetUserPolicyInput, api.GetUserPolicyOutput]{
		Spec: op.Spec{Service: service, Name: "GetUserPolicy", Resource: byUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetUserPolicyInput) ([]authz.Check, error) {
			err := invalid(required("userName", in.UserName, existingUserNameType), required("policyName", in.PolicyName, policyNameType))
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "GetUserPolicy", *in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetUserPolicyInput) (*api.GetUserPolicyOutput, error) {
			var p InlinePolicy
			err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				row, err := s.user(ctx, tx, g, "GetUserPolicy", *in.UserName)
				if err != nil {
					return err
				}
				p, err = tx.InlinePolicy(ctx, s.Account, row.ID, *in.PolicyName)
				return noSuchPolicy(err, "user", *in.PolicyName)
			})
			if err != nil {
				return nil, err
			}
			return &api.GetUserPolicyOutput{UserName: in.UserName, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, nil
		},
	}
}
