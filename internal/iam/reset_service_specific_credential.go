package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
)

// resetServiceSpecificCredential gives a credential a new password; the old one is good
// for nothing from the next request on.
func (s *Service) resetServiceSpecificCredential() *op.Operation[api.ResetServiceSpecificCredentialInput, api.ResetServiceSpecificCredentialOutput] {
	return &op.Operation[api.ResetServiceSpecificCredentialInput, api.ResetServiceSpecificCredentialOutput]{
		Spec: op.Spec{Service: service, Name: "ResetServiceSpecificCredential", Resource: byOwnUserName, Keys: credentialKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ResetServiceSpecificCredentialInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType),
				required("serviceSpecificCredentialId", in.ServiceSpecificCredentialId, credentialIDType))
			if err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forCredential(ctx, "ResetServiceSpecificCredential", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ResetServiceSpecificCredentialInput) (*api.ResetServiceSpecificCredentialOutput, error) {
			password := secret.NewGitPassword()
			var row ServiceCredential
			var name string
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.callersOr(ctx, tx, g, "ResetServiceSpecificCredential", in.UserName)
				if err != nil {
					return err
				}
				c, err := s.credential(ctx, tx, u, *in.ServiceSpecificCredentialId)
				if err != nil {
					return err
				}
				row, name = c, u.Name
				row.Hash = s.Keeper.Hash(password)
				return tx.UpdateServiceCredential(ctx, row)
			})
			if err != nil {
				return nil, err
			}
			return &api.ResetServiceSpecificCredentialOutput{ServiceSpecificCredential: withPassword(row, name, password)}, nil
		},
	}
}
