package iam

import (
	"bytes"
	"context"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
)

// uploadSSHPublicKey lets a user authenticate Git over SSH with a key. The ID in the answer
// is the user name to connect with.
func (s *Service) uploadSSHPublicKey() *op.Operation[api.UploadSSHPublicKeyInput, api.UploadSSHPublicKeyOutput] {
	return &op.Operation[api.UploadSSHPublicKeyInput, api.UploadSSHPublicKeyOutput]{
		Spec: op.Spec{Service: service, Name: "UploadSSHPublicKey", Resource: byOwnUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UploadSSHPublicKeyInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, userNameType), required("sshPublicKeyBody", in.SSHPublicKeyBody, publicKeyBodyType))
			if err != nil {
				return nil, err
			}
			if _, _, err := parsePublicKey(*in.SSHPublicKeyBody); err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "UploadSSHPublicKey", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UploadSSHPublicKeyInput) (*api.UploadSSHPublicKeyOutput, error) {
			key, comment, err := parsePublicKey(*in.SSHPublicKeyBody)
			if err != nil {
				return nil, err
			}
			row := SSHPublicKey{
				Account: s.Account, ID: secret.NewID(sshKeyPrefix), Wire: key.Marshal(), Comment: comment,
				Active: true, Uploaded: s.now(),
			}
			var name string
			err = s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.callersOr(ctx, tx, g, "UploadSSHPublicKey", in.UserName)
				if err != nil {
					return err
				}
				row.UserID, name = u.ID, u.Name
				have, err := tx.SSHPublicKeys(ctx, s.Account, u.ID, Page{Limit: maxSSHPublicKeys})
				if err != nil {
					return err
				}
				if slices.ContainsFunc(have, func(k SSHPublicKey) bool { return bytes.Equal(k.Wire, row.Wire) }) {
					return errDuplicateSSHPublicKey.New("The SSH public key is already associated with the user %s.", u.Name)
				}
				if len(have) >= maxSSHPublicKeys {
					return overQuota("SSHPublicKeysPerUser", maxSSHPublicKeys)
				}
				return tx.InsertSSHPublicKey(ctx, row)
			})
			if err != nil {
				return nil, err
			}
			shown := shownPublicKey(row, name, key)
			shown.SSHPublicKeyBody = in.SSHPublicKeyBody
			return &api.UploadSSHPublicKeyOutput{SSHPublicKey: shown}, nil
		},
	}
}
