package iam

import (
	"context"
	"errors"
	"fmt"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
)

// GitService is the service of the credentials that Git clients authenticate with.
const GitService = "codecommit.amazonaws.com"

// Service is where package authn finds credentials.
var _ authn.Source = (*Service)(nil)

// place is where a secret access key may be opened: in its own row.
func place(account, keyID string) string { return account + "/" + keyID }

func (s *Service) rootPrincipal() authz.Principal {
	return authz.Principal{Kind: authz.Root, Account: s.Account, ARN: s.rootARN(), UserID: s.Account}
}

func (s *Service) userPrincipal(u User) authz.Principal {
	return authz.Principal{Kind: authz.User, Account: s.Account, ARN: s.userARN(u.Path, u.Name), UserID: u.ID, Name: u.Name}
}

// unknown turns a row that is not there into authn's error.
func unknown(err error) error {
	if errors.Is(err, ErrNotFound) {
		return authn.ErrUnknown
	}
	return err
}

// SigningKey implements [authn.Source].
func (s *Service) SigningKey(ctx context.Context, accessKeyID string) (authn.SigningKey, error) {
	k, holder, err := s.activeKey(ctx, accessKeyID)
	if err != nil {
		return authn.SigningKey{}, err
	}
	plain, err := s.Keeper.Open(k.Sealed, place(k.Account, k.ID))
	if err != nil {
		return authn.SigningKey{}, fmt.Errorf("access key %s: %w", k.ID, err)
	}
	id := authn.Identity{Principal: holder, Credential: authz.Credential{Kind: accessKeyKind, ID: k.ID}}
	return authn.SigningKey{Identity: id, Secret: plain.Reveal()}, nil
}

// accessKeyKind is what the decision log calls a long-term access key.
const accessKeyKind = "access-key"

// activeKey returns the active access key with this ID and who holds it.
func (s *Service) activeKey(ctx context.Context, id string) (AccessKey, authz.Principal, error) {
	k, u, err := s.Store.AccessKeyHolder(ctx, id)
	switch {
	case err != nil:
		return AccessKey{}, authz.Principal{}, unknown(err)
	case !k.Active || k.Account != s.Account:
		return AccessKey{}, authz.Principal{}, authn.ErrUnknown
	case k.UserID == s.Account:
		return k, s.rootPrincipal(), nil
	case u.ID == "":
		return AccessKey{}, authz.Principal{}, authn.ErrUnknown
	default:
		return k, s.userPrincipal(u), nil
	}
}

// GitPassword implements [authn.Source]. A name that does not exist is compared with
// a hash that no password has, so that the time tells nothing.
func (s *Service) GitPassword(ctx context.Context, userName, password string) (authn.Identity, error) {
	c, u, err := s.Store.ServiceCredentialHolder(ctx, userName)
	missing := errors.Is(err, ErrNotFound)
	if err != nil && !missing {
		return authn.Identity{}, err
	}
	if missing {
		c.Hash = s.Keeper.NoHash()
	}
	matches, err := s.Keeper.Matches(c.Hash, password)
	if err != nil {
		return authn.Identity{}, fmt.Errorf("service-specific credential %s: %w", c.ID, err)
	}
	if missing || !matches || !c.Active || c.Service != GitService || c.Account != s.Account {
		return authn.Identity{}, authn.ErrUnknown
	}
	return authn.Identity{
		Principal:  s.userPrincipal(u),
		Credential: authz.Credential{Kind: "service-specific", ID: c.ID},
	}, nil
}

// SSHKey implements [authn.Source].
func (s *Service) SSHKey(ctx context.Context, keyID string) (authn.SSHKey, error) {
	k, u, err := s.Store.SSHPublicKeyHolder(ctx, keyID)
	if err != nil {
		return authn.SSHKey{}, unknown(err)
	}
	if !k.Active || k.Account != s.Account {
		return authn.SSHKey{}, authn.ErrUnknown
	}
	return authn.SSHKey{
		Identity:  authn.Identity{Principal: s.userPrincipal(u), Credential: authz.Credential{Kind: "ssh-key", ID: k.ID}},
		PublicKey: k.Wire,
	}, nil
}
