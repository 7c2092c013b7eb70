package iam

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/secret"
)

// Service runs the domain's operations, and is the source of package authn and of
// package authz. Its fields are set once, before use; it is safe for concurrent use.
type Service struct {
	Store  Store
	Keeper *secret.Keeper // seals and hashes credentials, signs markers

	Partition string // "aws"
	Account   string // 12 digits

	Now func() time.Time
	Log *slog.Logger

	situations situationCache
}

// now is the time as rows keep it: the API shows whole seconds.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Second) }

func (s *Service) arn(resource string) arn.ARN {
	return arn.ARN{Partition: s.Partition, Service: "iam", Account: s.Account, Resource: resource}
}

func (s *Service) rootARN() arn.ARN { return s.arn("root") }

func (s *Service) userARN(path, name string) arn.ARN { return s.arn("user" + path + name) }

func (s *Service) groupARN(path, name string) arn.ARN { return s.arn("group" + path + name) }

// forUser asks for an action on the user with this name, with the user's tags as
// condition keys.
func (s *Service) forUser(ctx context.Context, action, name string, values ...authz.Value) ([]authz.Check, error) {
	u, tags, err := s.peek(ctx, name)
	if err != nil {
		return nil, err
	}
	return []authz.Check{s.userCheck(action, u, tags, values...)}, nil
}

// userCheck asks for an action on a user with these tags.
func (s *Service) userCheck(action string, u User, tags []Tag, values ...authz.Value) authz.Check {
	check := authz.Check{Action: "iam:" + action, Resource: s.userARN(u.Path, u.Name), Values: values}
	for _, t := range tags {
		check.Values = append(check.Values,
			authz.Value{Key: "iam:ResourceTag/" + t.Key, Values: []string{t.Value}},
			authz.Value{Key: "aws:ResourceTag/" + t.Key, Values: []string{t.Value}})
	}
	return check
}

// peek reads the user with this name for a check. Of one who does not exist it returns
// the name and the path "/": permission is asked before existence shows, so that a
// caller without rights does not learn from the answer who exists.
func (s *Service) peek(ctx context.Context, name string) (u User, tags []Tag, err error) {
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
		if u, err = tx.User(ctx, s.Account, name); err == nil {
			tags, err = tx.Tags(ctx, s.Account, u.ID, Page{Limit: maxTags})
		}
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return User{Name: name, Path: "/"}, nil, nil
	}
	if err != nil {
		return User{}, nil, fmt.Errorf("read user %q: %w", name, err)
	}
	return u, tags, nil
}

// forGroup is forUser for a group, which has no tags.
func (s *Service) forGroup(ctx context.Context, action, name string) ([]authz.Check, error) {
	g, err := s.peekGroup(ctx, name)
	if err != nil {
		return nil, err
	}
	return []authz.Check{{Action: "iam:" + action, Resource: s.groupARN(g.Path, g.Name)}}, nil
}

// peekGroup is peek for a group.
func (s *Service) peekGroup(ctx context.Context, name string) (g Group, err error) {
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
		g, err = tx.Group(ctx, s.Account, name)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return Group{Name: name, Path: "/"}, nil
	}
	if err != nil {
		return Group{}, fmt.Errorf("read group %q: %w", name, err)
	}
	return g, nil
}

// user reads the user that a request names, and refuses one whom the grant does not
// cover: since the checks were made, the name may have come to mean somebody else.
func (s *Service) user(ctx context.Context, tx Reader, g authz.Grant, action, name string) (User, error) {
	u, err := tx.User(ctx, s.Account, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return User{}, noSuchUser(name)
	case err != nil:
		return User{}, err
	case !g.CoversAction("iam:"+action, s.userARN(u.Path, u.Name)):
		return User{}, changedMeanwhile("user", name)
	}
	return u, nil
}

// group is user for a group.
func (s *Service) group(ctx context.Context, tx Reader, g authz.Grant, action, name string) (Group, error) {
	row, err := tx.Group(ctx, s.Account, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return Group{}, noSuchGroup(name)
	case err != nil:
		return Group{}, err
	case !g.CoversAction("iam:"+action, s.groupARN(row.Path, row.Name)):
		return Group{}, changedMeanwhile("group", name)
	}
	return row, nil
}

// ownName returns the user name that a request means: the one given or the caller's
// own. Root and role sessions have none.
func ownName(c authz.Caller, given *string) (string, error) {
	switch {
	case given != nil:
		return *given, nil
	case c.Principal.Kind == authz.User:
		return c.Principal.Name, nil
	default:
		return "", fault.ValidationError.New("Must specify userName when calling with non-User credentials")
	}
}

// The condition keys that operations on users carry.
var (
	userKeys = map[string]string{
		"iam:ResourceTag/${TagKey}": "the user's tags",
		"aws:ResourceTag/${TagKey}": "the user's tags",
	}
	credentialKeys = map[string]string{
		"iam:ResourceTag/${TagKey}": "the user's tags",
		"aws:ResourceTag/${TagKey}": "the user's tags",
		credentialServiceKey:        "serviceName, or the credential's",
	}
	newTagKeys = map[string]string{
		"aws:RequestTag/${TagKey}": "tags",
		"aws:TagKeys":              "the keys of tags",
	}
)

// service is the prefix of the domain's actions, and its signing name.
const service = "iam"

// Words of the operation table: where the resource of the checks comes from.
const (
	byUserName     = "userName"
	byOwnUserName  = "userName, or the caller"
	byGroupName    = "groupName"
	byPolicySource = "policySourceArn"
	noResource     = "none"
)
