package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteServiceSpecificCredential removes a credential, with effect on the next request.
func (s *Service) deleteServiceSpecificCredential() *op.Operation[api.DeleteServiceSpecificCredentialInput, api.DeleteServiceSpecificCredentialOutput] {
	return &op.Operation[api.DeleteServiceSpecificCredentialInput, api.DeleteServiceSpecificCredentialOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteServiceSpecificCredential", Resource: byOwnUserName, Keys: credentialKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteServiceSpecificCredentialInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType),
				required("serviceSpecificCredentialId", in.ServiceSpecificCredentialId, credentialIDType))
			if err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forCredential(ctx, "DeleteServiceSpecificCredential", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteServiceSpecificCredentialInput) (*api.DeleteServiceSpecificCredentialOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.callersOr(ctx, tx, g, "DeleteServiceSpecificCredential", in.UserName)
				if err != nil {
					return err
				}
				c, err := s.credential(ctx, tx, u, *in.ServiceSpecificCredentialId)
				if err != nil {
					return err
				}
				return tx.DeleteServiceCredential(ctx, s.Account, c.ID)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteServiceSpecificCredentialOutput{}, nil
		},
	}
}
