package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteSSHPublicKey removes a key, with effect on the next connection.
func (s *Service) deleteSSHPublicKey() *op.Operation[api.DeleteSSHPublicKeyInput, api.DeleteSSHPublicKeyOutput] {
	return &op.Operation[api.DeleteSSHPublicKeyInput, api.DeleteSSHPublicKeyOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteSSHPublicKey", Resource: byOwnUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteSSHPublicKeyInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType), required("sshPublicKeyId", in.SSHPublicKeyId, publicKeyIDType))
			if err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "DeleteSSHPublicKey", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteSSHPublicKeyInput) (*api.DeleteSSHPublicKeyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.callersOr(ctx, tx, g, "DeleteSSHPublicKey", in.UserName)
				if err != nil {
					return err
				}
				key, err := s.publicKey(ctx, tx, u, *in.SSHPublicKeyId)
				if err != nil {
					return err
				}
				return tx.DeleteSSHPublicKey(ctx, s.Account, key.ID)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteSSHPublicKeyOutput{}, nil
		},
	}
}
