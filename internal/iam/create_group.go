package iam

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
)

// createGroup makes an empty group.
func (s *Service) createGroup() *op.Operation[api.CreateGroupInput, api.CreateGroupOutput] {
	return &op.Operation[api.CreateGroupInput, api.CreateGroupOutput]{
		Spec: op.Spec{Service: service, Name: "CreateGroup", Resource: "path and groupName"},
		Checks: func(ctx context.Context, c authz.Caller, in *api.CreateGroupInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType), optional("path", in.Path, pathType))
			if err != nil {
				return nil, err
			}
			return []authz.Check{{Action: "iam:CreateGroup", Resource: s.groupARN(textOr(in.Path, "/"), *in.GroupName)}}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.CreateGroupInput) (*api.CreateGroupOutput, error) {
			row := Group{Account: s.Account, ID: secret.NewID(secret.Group), Name: *in.GroupName, Path: textOr(in.Path, "/"), Created: s.now()}
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				n, err := tx.CountGroups(ctx, s.Account)
				if err != nil {
					return err
				}
				if n >= maxGroups {
					return overQuota("GroupsPerAccount", maxGroups)
				}
				err = tx.InsertGroup(ctx, row)
				if errors.Is(err, ErrExists) {
					return groupExists(row.Name)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			return &api.CreateGroupOutput{Group: new(s.shownGroup(row))}, nil
		},
	}
}
