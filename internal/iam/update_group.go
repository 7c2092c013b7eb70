package iam

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// updateGroup renames or moves a group. The unique ID stays and the ARN changes, so both
// the old and the new ARN must be allowed.
func (s *Service) updateGroup() *op.Operation[api.UpdateGroupInput, api.UpdateGroupOutput] {
	return &op.Operation[api.UpdateGroupInput, api.UpdateGroupOutput]{
		Spec: op.Spec{Service: service, Name: "UpdateGroup", Resource: "groupName, and newPath and newGroupName", Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.UpdateGroupInput) ([]authz.Check, error) {
			err := invalid(required("groupName", in.GroupName, groupNameType),
				optional("newPath", in.NewPath, pathType), optional("newGroupName", in.NewGroupName, groupNameType))
			if err != nil {
				return nil, err
			}
			old, err := s.peekGroup(ctx, *in.GroupName)
			if err != nil {
				return nil, err
			}
			checks := []authz.Check{{Action: "iam:UpdateGroup", Resource: s.groupARN(old.Path, old.Name)}}
			if after := updatedGroup(old, in); after != old {
				checks = append(checks, authz.Check{Action: "iam:UpdateGroup", Resource: s.groupARN(after.Path, after.Name)})
			}
			return checks, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdateGroupInput) (*api.UpdateGroupOutput, error) {
			err := s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				old, err := s.group(ctx, tx, g, "UpdateGroup", *in.GroupName)
				if err != nil {
					return err
				}
				after := updatedGroup(old, in)
				if !g.CoversAction("iam:UpdateGroup", s.groupARN(after.Path, after.Name)) {
					return changedMeanwhile("group", old.Name)
				}
				err = tx.UpdateGroup(ctx, after)
				if errors.Is(err, ErrExists) {
					return groupExists(after.Name)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			return &api.UpdateGroupOutput{}, nil
		},
	}
}

// updatedGroup is the group after the update.
func updatedGroup(g Group, in *api.UpdateGroupInput) Group {
	g.Path = textOr(in.NewPath, g.Path)
	g.Name = textOr(in.NewGroupName, g.Name)
	return g
}
