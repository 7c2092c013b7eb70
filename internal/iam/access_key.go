package iam

import (
	"context"
	"errors"

	"github.com/refward/refward/internal/authz"
)

// keyOwner is whose access keys a request is about: a user's, or root's, who manages its
// own keys by leaving the user name out.
type keyOwner struct {
	id   string
	name *string // nil for root
}

func meansRoot(c authz.Caller, given *string) bool {
	return given == nil && c.Principal.Kind == authz.Root
}

// forKeyOwner asks for an action on the owner of access keys.
func (s *Service) forKeyOwner(ctx context.Context, c authz.Caller, action string, given *string) ([]authz.Check, error) {
	if meansRoot(c, given) {
		return []authz.Check{{Action: "iam:" + action, Resource: s.rootARN()}}, nil
	}
	name, err := ownName(c, given)
	if err != nil {
		return nil, err
	}
	return s.forUser(ctx, action, name)
}

// keyOwner reads the owner, who must be the one that the grant covers.
func (s *Service) keyOwner(ctx context.Context, tx Reader, g authz.Grant, action string, given *string) (keyOwner, error) {
	if meansRoot(g.Caller(), given) && g.CoversAction("iam:"+action, s.rootARN()) {
		return keyOwner{id: s.Account}, nil
	}
	u, err := s.callersOr(ctx, tx, g, action, given)
	if err != nil {
		return keyOwner{}, err
	}
	return keyOwner{id: u.ID, name: &u.Name}, nil
}

// callersOr reads the user of that name, or the caller without one.
func (s *Service) callersOr(ctx context.Context, tx Reader, g authz.Grant, action string, given *string) (User, error) {
	name, err := ownName(g.Caller(), given)
	if err != nil {
		return User{}, err
	}
	return s.user(ctx, tx, g, action, name)
}

// accessKey reads a key of the owner. Another's is as good as none.
func (s *Service) accessKey(ctx context.Context, tx Reader, owner keyOwner, id string) (AccessKey, error) {
	k, err := tx.AccessKey(ctx, s.Account, id)
	if errors.Is(err, ErrNotFound) || err == nil && k.UserID != owner.id {
		return AccessKey{}, noSuchAccessKey(id)
	}
	return k, err
}
