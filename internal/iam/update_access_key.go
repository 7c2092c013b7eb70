package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// updateAccessKey makes a key active or inactive, with effect on the next request.
func (s *Service) updateAccessKey() *op.Operation[api.UpdateAccessKeyInput, api.UpdateAccessKeyOutput] {
	return &op.Operation[api.UpdateAccessKeyInput, api.UpdateAccessKeyOutput]{
		Spec: op.Spec{Service: service, Name: "UpdateAccessKey", Resource: byOwnUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UpdateAccessKeyInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, existingUserNameType), required("accessKeyId", in.AccessKeyId, accessKeyIDType), status(in.Status))
			if err != nil {
				return nil, err
			}
			return s.forKeyOwner(ctx, c, "UpdateAccessKey", in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdateAccessKeyInput) (*api.UpdateAccessKeyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				owner, err := s.keyOwner(ctx, tx, g, "UpdateAccessKey", in.UserName)
				if err != nil {
					return err
				}
				key, err := s.accessKey(ctx, tx, owner, *in.AccessKeyId)
				if err != nil {
					return err
				}
				key.Active = in.Status == types.StatusTypeActive
				return tx.UpdateAccessKey(ctx, key)
			})
			if err != nil {
				return nil, err
			}
			return &api.UpdateAccessKeyOutput{}, nil
		},
	}
}
