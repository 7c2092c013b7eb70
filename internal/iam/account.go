package iam

import (
	"context"
	"errors"
	"fmt"

	"github.com/refward/refward/internal/secret"
)

// EnsureAccount creates the account's row on the first start. It is an error when the
// store is another account's: its ID is in every row and every ARN.
func (s *Service) EnsureAccount(ctx context.Context) error {
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		accounts, err := tx.Accounts(ctx)
		for _, a := range accounts {
			if a.ID != s.Account {
				return fmt.Errorf("the data belongs to account %s, not %s", a.ID, s.Account)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	err = s.Store.CreateAccount(ctx, Account{ID: s.Account, Created: s.now()})
	if err != nil && !errors.Is(err, ErrExists) {
		return fmt.Errorf("create account %s: %w", s.Account, err)
	}
	return nil
}

// RootKey is an access key of the account's root.
type RootKey struct {
	ID     string
	Secret secret.Text
}

// EnsureRoot sees to it that root has an access key.
//
// A given key is made root's and active, with the given secret; when its ID is new, it
// takes the place of all others of root, so that who gives another key on the next
// start has taken the account back. With no key given, one is made only if root has
// none. EnsureRoot returns the key if it made one itself, and otherwise the zero
// RootKey: a generated secret is shown once.
func (s *Service) EnsureRoot(ctx context.Context, givenID string, given secret.Text) (RootKey, error) {
	if givenID == "" && given.IsZero() {
		return s.generateRoot(ctx)
	}
	if given.IsZero() || !rootKeyID.pattern.MatchString(givenID) || len(givenID) > rootKeyID.most {
		return RootKey{}, errors.New("root's access key needs an ID, of letters, digits and underscores, and a secret")
	}
	same := false
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		k, err := tx.AccessKey(ctx, s.Account, givenID)
		same = err == nil && k.UserID == s.Account && k.Active && s.opensTo(k, given)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil || same {
		return RootKey{}, err
	}
	err = s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error { return s.putRoot(ctx, tx, givenID, given) })
	if err != nil {
		return RootKey{}, fmt.Errorf("set root's access key %s: %w", givenID, err)
	}
	s.Log.InfoContext(ctx, "set root's access key as given", "key", givenID)
	return RootKey{}, nil
}

var rootKeyID = newConstraint(1, 128, wordPattern, wordPattern)

// opensTo reports whether the key's secret is the given one. One that cannot be opened,
// because the master key was lost, is not.
func (s *Service) opensTo(k AccessKey, given secret.Text) bool {
	plain, err := s.Keeper.Open(k.Sealed, place(k.Account, k.ID))
	return err == nil && plain.Equal(given.Reveal())
}

func (s *Service) putRoot(ctx context.Context, tx Tx, id string, given secret.Text) error {
	key := AccessKey{
		Account: s.Account, ID: id, UserID: s.Account, Active: true,
		Sealed: s.Keeper.Seal(given, place(s.Account, id)), Created: s.now(),
	}
	old, err := tx.AccessKey(ctx, s.Account, id)
	switch {
	case err == nil && old.UserID != s.Account:
		return errors.New("it is the access key of a user")
	case err == nil:
		return tx.UpdateAccessKey(ctx, key)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	others, err := tx.AccessKeys(ctx, s.Account, s.Account, Page{Limit: maxAccessKeys + 1})
	if err != nil {
		return err
	}
	for _, k := range others {
		if err := tx.DeleteAccessKey(ctx, s.Account, k.ID); err != nil {
			return err
		}
	}
	return tx.InsertAccessKey(ctx, key)
}

func (s *Service) generateRoot(ctx context.Context) (made RootKey, err error) {
	// Without a look first, every start would count the generation up.
	var has bool
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		keys, err := tx.AccessKeys(ctx, s.Account, s.Account, Page{Limit: 1})
		has = len(keys) > 0
		return err
	})
	if err != nil || has {
		return RootKey{}, err
	}
	fresh := RootKey{ID: secret.NewID(secret.AccessKey), Secret: secret.NewAccessKeySecret()}
	err = s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
		made = RootKey{}
		keys, err := tx.AccessKeys(ctx, s.Account, s.Account, Page{Limit: 1})
		if err != nil || len(keys) > 0 {
			return err
		}
		made = fresh
		return s.putRoot(ctx, tx, fresh.ID, fresh.Secret)
	})
	if err != nil {
		return RootKey{}, fmt.Errorf("make root's access key: %w", err)
	}
	return made, nil
}
