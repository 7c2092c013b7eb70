package sts

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// getCallerIdentity tells the caller who it is. No policy can forbid it: the same is told
// to whoever is refused something.
func (s *Service) getCallerIdentity() *op.Operation[api.GetCallerIdentityInput, api.GetCallerIdentityOutput] {
	return &op.Operation[api.GetCallerIdentityInput, api.GetCallerIdentityOutput]{
		Spec: op.Spec{
			Service: service, Name: "GetCallerIdentity", Resource: "none",
			Always: "the same is told to whoever is refused something",
		},
		Checks: func(context.Context, authz.Caller, *api.GetCallerIdentityInput) ([]authz.Check, error) {
			return []authz.Check{{Action: "sts:GetCallerIdentity"}}, nil
		},
		Run: func(_ context.Context, g authz.Grant, _ *api.GetCallerIdentityInput) (*api.GetCallerIdentityOutput, error) {
			p := g.Caller().Principal
			return &api.GetCallerIdentityOutput{Account: &p.Account, Arn: new(p.ARN.String()), UserId: &p.UserID}, nil
		},
	}
}
