package iam

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// deleteAccessKey removes a key, with effect on the next request.
func (s *Service) deleteAccessKey() *op.Operation[api.DeleteAccessKeyInput, api.DeleteAccessKeyOutput] {
	return &op.Operation[api.DeleteAccessKeyInput, api.DeleteAccessKeyOutput]{
		Spec: op.Spec{Service: service, Name: "DeleteAccessKey", Resource: byOwnUserName, Keys: userKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.DeleteAccessKeyInput) ([]authz.Check, error) {
			err := invalid(optional("userName", in.UserName, existingUserNameType), required("accessKeyId", in.AccessKeyId, accessKeyIDType))
			if err != nil {
				return nil, err
			}
			return s.forKeyOwner(ctx, c, "DeleteAccessKey", in.UserName)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteAccessKeyInput) (*api.DeleteAccessKeyOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				owner, err := s.keyOwner(ctx, tx, g, "DeleteAccessKey", in.UserName)
				if err != nil {
					return err
				}
				key, err := s.accessKey(ctx, tx, owner, *in.AccessKeyId)
				if err != nil {
					return err
				}
				return tx.DeleteAccessKey(ctx, s.Account, key.ID)
			})
			if err != nil {
				return nil, err
			}
			return &api.DeleteAccessKeyOutput{}, nil
		},
	}
}
