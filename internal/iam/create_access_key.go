package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
)

// createAccessKey makes an access key, of the caller without a user name. It is the only
// answer that ever shows the secret.
func (s *Service) createAccessKey() *op.Operation[api.CreateAccessKeyInput, api.CreateAccessKeyOutput] {
	return &op.Operation[api.CreateAccessKeyInput, api.CreateAccessKeyOutput]{
		Spec: op.Spec{Service: service, Name: "CreateAccessKey", Resource: byOwnUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.CreateAccessKeyInput) ([]authz.Check, error) {
			if err := invalid(optional("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			return s.forKeyOwner(ctx, c, "CreateAccessKey", in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.CreateAccessKeyInput) (*api.CreateAccessKeyOutput, error) {
			id, plain := secret.NewID(secret.AccessKey), secret.NewAccessKeySecret()
			key := AccessKey{Account: s.Account, ID: id, Active: true, Sealed: s.Keeper.Seal(plain, place(s.Account, id)), Created: s.now()}
			var owner keyOwner
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) (err error) {
				if owner, err = s.keyOwner(ctx, tx, g, "CreateAccessKey", in.UserName); err != nil {
					return err
				}
				keys, err := tx.AccessKeys(ctx, s.Account, owner.id, Page{Limit: maxAccessKeys})
				if err != nil {
					return err
				}
				if len(keys) >= maxAccessKeys {
					return overQuota("AccessKeysPerUser", maxAccessKeys)
				}
				key.UserID = owner.id
				return tx.InsertAccessKey(ctx, key)
			})
			if err != nil {
				return nil, err
			}
			return &api.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
				AccessKeyId: &key.ID, SecretAccessKey: new(plain.Reveal()), Status: shownStatus(key.Active),
				UserName: owner.name, CreateDate: &key.Created,
			}}, nil
		},
	}
}
