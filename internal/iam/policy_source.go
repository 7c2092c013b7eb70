package iam

import (
	"context"
	"errors"
	"strings"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

// policySource is whom a PolicySourceArn names: a user, a group or a role.
type policySource struct {
	arn  arn.ARN
	kind string // "user", "group" or "role"
	name string
}

// parsePolicySource reads the ARN of a user, a group or a role.
func parsePolicySource(text string) (policySource, error) {
	a, err := arn.Parse(text)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	switch {
	case err != nil, a.Service != service, a.Region != "", kind != "user" && kind != "group" && kind != "role",
		!existingUserNameType.pattern.MatchString(name):
		return policySource{}, errInvalidInput.New("Invalid Entity Arn: %s does not clearly define entity type and name.", text)
	}
	return policySource{arn: a, kind: kind, name: name}, nil
}

// forSource asks for an action on the one whom the ARN names, as it is written, whether
// there is one or not.
func (s *Service) forSource(ctx context.Context, action string, src policySource) ([]authz.Check, error) {
	if src.kind == "user" {
		u, tags, err := s.peek(ctx, src.name)
		if err != nil {
			return nil, err
		}
		if s.userARN(u.Path, u.Name) == src.arn {
			return []authz.Check{s.userCheck(action, u, tags)}, nil
		}
	}
	return []authz.Check{{Action: "iam:" + action, Resource: src.arn}}, nil
}

// policiesOf returns the policies of the source: the very ones by which a user's
// requests are decided, and of a group its own.
func (s *Service) policiesOf(ctx context.Context, src policySource) (*policy.Situation, error) {
	var userID string
	var rows situationRows
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		rows = situationRows{}
		switch src.kind {
		case "user":
			u, err := tx.User(ctx, s.Account, src.name)
			if errors.Is(err, ErrNotFound) || err == nil && s.userARN(u.Path, u.Name) != src.arn {
				return noSuchUser(src.name)
			}
			userID = u.ID
			return err
		case "group":
			g, err := tx.Group(ctx, s.Account, src.name)
			if errors.Is(err, ErrNotFound) || err == nil && s.groupARN(g.Path, g.Name) != src.arn {
				return noSuchGroup(src.name)
			}
			if err != nil {
				return err
			}
			return rows.attach(ctx, tx, s.Account, g.ID, ownerGroup+g.Name)
		default:
			return errNoSuchEntity.New("The role with name %s cannot be found.", src.name)
		}
	})
	if err != nil {
		return nil, err
	}
	var sit authz.Situation
	if src.kind == "user" {
		sit, err = s.Situation(ctx, authz.Principal{Kind: authz.User, Account: s.Account, UserID: userID})
		if fault.Has(err, fault.InvalidClientTokenID) {
			return nil, noSuchUser(src.name) // deleted since
		}
	} else {
		sit, err = s.situations.compile(rows)
	}
	if err != nil {
		return nil, err
	}
	return sit.Policies, nil
}
