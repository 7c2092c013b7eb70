package iam

import (
	"context"
	"fmt"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// getSSHPublicKey shows an SSH public key in one of two encodings.
func (s *Service) getSSHPublicKey() *op.Operation[api.GetSSHPublicKeyInput, api.GetSSHPublicKeyOutput] {
	return &op.Operation[api.GetSSHPublicKeyInput, api.GetSSHPublicKeyOutput]{
		Spec: op.Spec{Service: service, Name: "GetSSHPublicKey", Resource: byOwnUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.GetSSHPublicKeyInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType), required("sshPublicKeyId", in.SSHPublicKeyId, publicKeyIDType),
				oneOf("encoding", in.Encoding, types.EncodingTypeSsh, types.EncodingTypePem))
			if err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "GetSSHPublicKey", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetSSHPublicKeyInput) (*api.GetSSHPublicKeyOutput, error) {
			var row SSHPublicKey
			var name string
			err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				u, err := s.callersOr(ctx, tx, g, "GetSSHPublicKey", in.UserName)
				if err != nil {
					return err
				}
				name = u.Name
				row, err = s.publicKey(ctx, tx, u, *in.SSHPublicKeyId)
				return err
			})
			if err != nil {
				return nil, err
			}
			key, err := ssh.ParsePublicKey(row.Wire)
			if err != nil {
				return nil, fmt.Errorf("SSH public key %s: %w", row.ID, err)
			}
			body := authorizedKey(key, row.Comment)
			if in.Encoding == types.EncodingTypePem {
				if body, err = pemKey(key); err != nil {
					return nil, fmt.Errorf("SSH public key %s: %w", row.ID, err)
				}
			}
			shown := shownPublicKey(row, name, key)
			shown.SSHPublicKeyBody = &body
			return &api.GetSSHPublicKeyOutput{SSHPublicKey: shown}, nil
		},
	}
}
