package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// updateSSHPublicKey makes a key active or inactive, with effect on the next connection.
func (s *Service) updateSSHPublicKey() *op.Operation[api.UpdateSSHPublicKeyInput, api.UpdateSSHPublicKeyOutput] {
	return &op.Operation[api.UpdateSSHPublicKeyInput, api.UpdateSSHPublicKeyOutput]{
		Spec: op.Spec{Service: service, Name: "UpdateSSHPublicKey", Resource: byOwnUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UpdateSSHPublicKeyInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType), required("sshPublicKeyId", in.SSHPublicKeyId, publicKeyIDType), status(in.Status))
			if err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "UpdateSSHPublicKey", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdateSSHPublicKeyInput) (*api.UpdateSSHPublicKeyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.callersOr(ctx, tx, g, "UpdateSSHPublicKey", in.UserName)
				if err != nil {
					return err
				}
				key, err := s.publicKey(ctx, tx, u, *in.SSHPublicKeyId)
				if err != nil {
					return err
				}
				key.Active = in.Status == types.StatusTypeActive
				return tx.UpdateSSHPublicKey(ctx, key)
			})
			if err != nil {
				return nil, err
			}
			return &api.UpdateSSHPublicKeyOutput{}, nil
		},
	}
}
