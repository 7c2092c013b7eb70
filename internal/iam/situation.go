package iam

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

// Service is where package authz finds policies.
var _ authz.Source = (*Service)(nil)

// Situation implements [authz.Source]. What was compiled is remembered together with
// the account's generation, and the generation is read anew each time: a change that
// was committed before the call is in the answer.
func (s *Service) Situation(ctx context.Context, p authz.Principal) (authz.Situation, error) {
	if p.Kind != authz.User || p.Account != s.Account {
		return authz.Situation{}, noPrincipal()
	}
	gen, err := s.Store.Generation(ctx, s.Account)
	if err != nil {
		return authz.Situation{}, fmt.Errorf("read the account's generation: %w", err)
	}
	if sit, ok := s.situations.at(gen, p.UserID); ok {
		return sit, nil
	}
	rows, err := s.readSituation(ctx, p.UserID)
	if err != nil {
		return authz.Situation{}, err
	}
	sit, err := s.situations.compile(rows)
	if err != nil {
		return authz.Situation{}, fmt.Errorf("policies of user %s: %w", p.UserID, err)
	}
	s.situations.put(rows.gen, p.UserID, sit)
	return sit, nil
}

func noPrincipal() error {
	return fault.InvalidClientTokenID.New("The security token included in the request is invalid.")
}

// situationRows is a principal's situation as it is stored, in one snapshot.
type situationRows struct {
	gen      int64
	tags     map[string]string
	policies []attached
}

// attached is an inline policy with where it is attached. It is comparable: the same
// text in the same place compiles to the same policy.
type attached struct {
	source   policy.Source
	document string
}

// How the owner of an inline policy begins, before its name.
const (
	ownerUser  = "user "
	ownerGroup = "group "
)

func (s *Service) readSituation(ctx context.Context, userID string) (rows situationRows, err error) {
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		rows = situationRows{tags: map[string]string{}}
		if rows.gen, err = tx.Generation(ctx, s.Account); err != nil {
			return err
		}
		u, err := tx.UserByID(ctx, s.Account, userID)
		if errors.Is(err, ErrNotFound) {
			return noPrincipal()
		}
		if err != nil {
			return err
		}
		tags, err := tx.Tags(ctx, s.Account, u.ID, Page{Limit: maxTags})
		if err != nil {
			return err
		}
		for _, t := range tags {
			rows.tags[t.Key] = t.Value
		}
		if err := rows.attach(ctx, tx, s.Account, u.ID, ownerUser+u.Name); err != nil {
			return err
		}
		groups, err := tx.GroupsOf(ctx, s.Account, u.ID, Page{Limit: maxGroups})
		if err != nil {
			return err
		}
		for _, g := range groups {
			if err := rows.attach(ctx, tx, s.Account, g.ID, ownerGroup+g.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return situationRows{}, fmt.Errorf("read what applies to user %s: %w", userID, err)
	}
	return rows, nil
}

func (r *situationRows) attach(ctx context.Context, tx Reader, account, ownerID, owner string) error {
	policies, err := tx.InlinePolicies(ctx, account, ownerID, Page{Limit: maxInlinePolicyCount})
	for _, p := range policies {
		r.policies = append(r.policies, attached{policy.Source{Name: p.Name, Owner: owner}, p.Document})
	}
	return err
}

// maxCompiled bounds the compiled policies that are kept for documents that may come
// again at the next generation.
const maxCompiled = 10_000

// situationCache remembers what was compiled. Its zero value is empty.
type situationCache struct {
	mu       sync.Mutex // guards all below
	gen      int64
	byUser   map[string]authz.Situation // as of gen, by the user's ID
	compiled map[attached]*policy.Policy
}

func (c *situationCache) at(gen int64, userID string) (authz.Situation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if gen != c.gen {
		return authz.Situation{}, false
	}
	sit, ok := c.byUser[userID]
	return sit, ok
}

// put remembers a situation as of a generation. With a newer one everything else is
// out of date; an older one comes too late.
func (c *situationCache) put(gen int64, userID string, sit authz.Situation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byUser == nil || gen > c.gen {
		c.gen, c.byUser = gen, map[string]authz.Situation{}
	}
	if gen == c.gen {
		c.byUser[userID] = sit
	}
}

// compile parses what was not parsed before. A stored document that does not parse
// any more is an error and not a policy less: it may be the one that denies.
func (c *situationCache) compile(rows situationRows) (authz.Situation, error) {
	sit := authz.Situation{Policies: &policy.Situation{}, Tags: rows.tags}
	for _, a := range rows.policies {
		p, ok := c.known(a)
		if !ok {
			var err error
			if p, err = policy.Parse(a.source, policy.Identity, []byte(a.document)); err != nil {
				return authz.Situation{}, fmt.Errorf("inline policy %q of %s: %w", a.source.Name, a.source.Owner, err)
			}
			c.remember(a, p)
		}
		sit.Policies.Identity = append(sit.Policies.Identity, p)
	}
	return sit, nil
}

func (c *situationCache) known(a attached) (*policy.Policy, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.compiled[a]
	return p, ok
}

func (c *situationCache) remember(a attached, p *policy.Policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled == nil || len(c.compiled) >= maxCompiled {
		c.compiled = map[attached]*policy.Policy{}
	}
	c.compiled[a] = p
}
