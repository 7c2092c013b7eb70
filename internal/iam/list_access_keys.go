package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listAccessKeys lists access keys without their secrets, of the caller without a user
// name.
func (s *Service) listAccessKeys() *op.Operation[api.ListAccessKeysInput, api.ListAccessKeysOutput] {
	return &op.Operation[api.ListAccessKeysInput, api.ListAccessKeysOutput]{
		Spec: op.Spec{Service: service, Name: "ListAccessKeys", Resource: byOwnUserName, Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListAccessKeysInput) ([]authz.Check, error) {
			if err := invalid(optional("userName", in.UserName, existingUserNameType)); err != nil {
				return nil, err
			}
			if _, err := s.listing("ListAccessKeys "+textOr(in.UserName, ""), in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			return s.forKeyOwner(ctx, c, "ListAccessKeys", in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListAccessKeysInput) (*api.ListAccessKeysOutput, error) {
			l, err := s.listing("ListAccessKeys "+textOr(in.UserName, ""), in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var owner keyOwner
			var rows []AccessKey
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
				if owner, err = s.keyOwner(ctx, tx, g, "ListAccessKeys", in.UserName); err == nil {
					rows, err = tx.AccessKeys(ctx, s.Account, owner.id, l.page())
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			rows, marker := cut(s, l, rows, func(k AccessKey) string { return k.ID })
			shown := each(rows, func(k AccessKey) types.AccessKeyMetadata {
				return types.AccessKeyMetadata{AccessKeyId: &k.ID, CreateDate: &k.Created, Status: shownStatus(k.Active), UserName: owner.name}
			})
			return &api.ListAccessKeysOutput{AccessKeyMetadata: shown, Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}
