package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listSSHPublicKeys lists a user's SSH public keys without the keys themselves.
func (s *Service) listSSHPublicKeys() *op.Operation[api.ListSSHPublicKeysInput, api.ListSSHPublicKeysOutput] {
	return &op.Operation[api.ListSSHPublicKeysInput, api.ListSSHPublicKeysOutput]{
		Spec: op.Spec{Service: service, Name: "ListSSHPublicKeys", Resource: byOwnUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListSSHPublicKeysInput) ([]authz.Check, error) {
			if err := invalid(optional("userName", in.UserName, userNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("ListSSHPublicKeys "+textOr(in.UserName, ""), in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "ListSSHPublicKeys", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListSSHPublicKeysInput) (*api.ListSSHPublicKeysOutput, error) {
			l, err := s.listing("ListSSHPublicKeys "+textOr(in.UserName, ""), in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var u User
			var rows []SSHPublicKey
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
				if u, err = s.callersOr(ctx, tx, g, "ListSSHPublicKeys", in.UserName); err == nil {
					rows, err = tx.SSHPublicKeys(ctx, s.Account, u.ID, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, func(k SSHPublicKey) string { return k.ID })
			shown := each(rows, func(k SSHPublicKey) types.SSHPublicKeyMetadata {
				return types.SSHPublicKeyMetadata{SSHPublicKeyId: &k.ID, Status: shownStatus(k.Active), UploadDate: &k.Uploaded, UserName: &u.Name}
			})
			return &api.ListSSHPublicKeysOutput{SSHPublicKeys: shown, Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
