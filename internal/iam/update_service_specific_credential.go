package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// updateServiceSpecificCredential makes a credential active or inactive, with effect on
// the next request. An inactive one still counts.
func (s *Service) updateServiceSpecificCredential() *op.Operation[api.UpdateServiceSpecificCredentialInput, api.UpdateServiceSpecificCredentialOutput] {
	return &op.Operation[api.UpdateServiceSpecificCredentialInput, api.UpdateServiceSpecificCredentialOutput]{
		Spec: op.Spec{Service: service, Name: "UpdateServiceSpecificCredential", Resource: byOwnUserName, Keys: credentialKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UpdateServiceSpecificCredentialInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType),
				required("serviceSpecificCredentialId", in.ServiceSpecificCredentialId, credentialIDType), status(in.Status))
			if err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forCredential(ctx, "UpdateServiceSpecificCredential", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdateServiceSpecificCredentialInput) (*api.UpdateServiceSpecificCredentialOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.callersOr(ctx, tx, g, "UpdateServiceSpecificCredential", in.UserName)
				if err != nil {
					return err
				}
				c, err := s.credential(ctx, tx, u, *in.ServiceSpecificCredentialId)
				if err != nil {
					return err
				}
				c.Active = in.Status == types.StatusTypeActive
				return tx.UpdateServiceCredential(ctx, c)
			})
			if err != nil {
				return nil, err
			}
			return &api.UpdateServiceSpecificCredentialOutput{}, nil
		},
	}
}
