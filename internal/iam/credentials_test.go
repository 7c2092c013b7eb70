package iam_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/iam"
)

const gitService = "codecommit.amazonaws.com"

func TestAccessKeys(t *testing.T) {
	h := newHost(t)
	u := aws.String("u")
	setUp(t, h, &api.CreateUserInput{UserName: u, Path: aws.String("/dev/")}, &api.CreateUserInput{UserName: aws.String("other")})
	made := run[api.CreateAccessKeyOutput](t, h, h.root(), &api.CreateAccessKeyInput{UserName: u}).AccessKey
	k, err := h.service.SigningKey(t.Context(), *made.AccessKeyId)
	if err != nil || k.Secret != *made.SecretAccessKey || len(k.Secret) != 40 {
		t.Fatalf("the key cannot sign: %v", err)
	}
	want := authz.Principal{Kind: authz.User, Account: account, Name: "u", UserID: k.Identity.Principal.UserID}
	want.ARN = k.Identity.Principal.ARN
	if d := cmp.Diff(want, k.Identity.Principal); d != "" || want.ARN.String() != *user1(t, h, "u").Arn || want.UserID != *user1(t, h, "u").UserId {
		t.Errorf("the key proves (-want +got):\n%s", d)
	}
	listed := run[api.ListAccessKeysOutput](t, h, h.root(), &api.ListAccessKeysInput{UserName: u}).AccessKeyMetadata
	if len(listed) != 1 || *listed[0].AccessKeyId != *made.AccessKeyId || listed[0].Status != "Active" || *listed[0].UserName != "u" {
		t.Errorf("listed %+v", listed)
	}
	_, err = invoke(t, h, h.root(), &api.DeleteAccessKeyInput{UserName: aws.String("other"), AccessKeyId: made.AccessKeyId})
	wantFault(t, "another user's key", err, "NoSuchEntity", "The Access Key with id "+*made.AccessKeyId+" cannot be found.")
	for _, status := range []types.StatusType{"Inactive", "Active"} {
		run[api.UpdateAccessKeyOutput](t, h, h.root(), &api.UpdateAccessKeyInput{UserName: u, AccessKeyId: made.AccessKeyId, Status: status})
		_, err := h.service.SigningKey(t.Context(), *made.AccessKeyId)
		if active := err == nil; active != (status == "Active") || err != nil && !errors.Is(err, authn.ErrUnknown) {
			t.Errorf("%s: %v", status, err)
		}
	}
	run[api.UpdateUserOutput](t, h, h.root(), &api.UpdateUserInput{UserName: u, NewUserName: aws.String("v")})
	if c := h.by(t, *made.AccessKeyId); c.Principal.Name != "v" || c.Principal.UserID != want.UserID {
		t.Errorf("after a rename the key proves %+v", c.Principal)
	}
	run[api.DeleteAccessKeyOutput](t, h, h.root(), &api.DeleteAccessKeyInput{UserName: aws.String("v"), AccessKeyId: made.AccessKeyId})
	if _, err := h.service.SigningKey(t.Context(), *made.AccessKeyId); !errors.Is(err, authn.ErrUnknown) {
		t.Errorf("a deleted key: %v", err)
	}
}

func user1(t *testing.T, h *host, name string) *types.User {
	t.Helper()
	return run[api.GetUserOutput](t, h, h.root(), &api.GetUserInput{UserName: &name}).User
}

// Without a user name the operations act on the caller.
func TestSelfService(t *testing.T) {
	h := newHost(t)
	alice := user(t, h, "alice")
	setUp(t, h, &api.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("self"),
		PolicyDocument: aws.String(allow(`"iam:*"`, `"arn:aws:iam::*:user/${aws:username}"`))})
	if got := run[api.GetUserOutput](t, h, alice, &api.GetUserInput{}); *got.User.UserName != "alice" {
		t.Errorf("alice is %s", *got.User.UserName)
	}
	key := run[api.CreateAccessKeyOutput](t, h, alice, &api.CreateAccessKeyInput{}).AccessKey
	if *key.UserName != "alice" {
		t.Errorf("alice's key is %s's", *key.UserName)
	}
	run[api.UpdateAccessKeyOutput](t, h, alice, &api.UpdateAccessKeyInput{AccessKeyId: key.AccessKeyId, Status: "Inactive"})
	run[api.DeleteAccessKeyOutput](t, h, alice, &api.DeleteAccessKeyInput{AccessKeyId: key.AccessKeyId})
	if keys := run[api.ListAccessKeysOutput](t, h, alice, &api.ListAccessKeysInput{}).AccessKeyMetadata; len(keys) != 1 {
		t.Errorf("alice has the keys %+v", keys)
	}
	c := run[api.CreateServiceSpecificCredentialOutput](t, h, alice, &api.CreateServiceSpecificCredentialInput{ServiceName: aws.String(gitService)}).ServiceSpecificCredential
	run[api.UpdateServiceSpecificCredentialOutput](t, h, alice, &api.UpdateServiceSpecificCredentialInput{ServiceSpecificCredentialId: c.ServiceSpecificCredentialId, Status: "Active"})
	run[api.ResetServiceSpecificCredentialOutput](t, h, alice, &api.ResetServiceSpecificCredentialInput{ServiceSpecificCredentialId: c.ServiceSpecificCredentialId})
	if l := run[api.ListServiceSpecificCredentialsOutput](t, h, alice, &api.ListServiceSpecificCredentialsInput{}); len(l.ServiceSpecificCredentials) != 1 {
		t.Errorf("alice has %+v", l)
	}
	setUp(t, h, &api.CreateUserInput{UserName: aws.String("bob")})
	for _, in := range []any{
		&api.CreateAccessKeyInput{UserName: aws.String("bob")},
		&api.ResetServiceSpecificCredentialInput{UserName: aws.String("bob"), ServiceSpecificCredentialId: c.ServiceSpecificCredentialId},
		&api.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true)},
	} {
		if _, err := invoke(t, h, alice, in); !fault.Has(err, fault.AccessDenied) {
			t.Errorf("%s: %v, want AccessDenied", operationOf(in), err)
		}
	}
	run[api.DeleteServiceSpecificCredentialOutput](t, h, alice, &api.DeleteServiceSpecificCredentialInput{ServiceSpecificCredentialId: c.ServiceSpecificCredentialId})
}

func TestRootsOwnKeys(t *testing.T) {
	h := newHost(t)
	key := run[api.CreateAccessKeyOutput](t, h, h.root(), &api.CreateAccessKeyInput{}).AccessKey
	if key.UserName != nil {
		t.Errorf("root's key is %s's", *key.UserName)
	}
	c := h.by(t, *key.AccessKeyId)
	if d := cmp.Diff(h.root().Principal, c.Principal); d != "" {
		t.Errorf("root's key proves (-want +got):\n%s", d)
	}
	if l := run[api.ListAccessKeysOutput](t, h, c, &api.ListAccessKeysInput{}).AccessKeyMetadata; len(l) != 1 {
		t.Errorf("root has %+v", l)
	}
	setUp(t, h, &api.CreateAccessKeyInput{})
	_, err := invoke(t, h, h.root(), &api.CreateAccessKeyInput{})
	wantFault(t, "a third", err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	run[api.UpdateAccessKeyOutput](t, h, c, &api.UpdateAccessKeyInput{AccessKeyId: key.AccessKeyId, Status: "Inactive"})
	if _, err := h.service.SigningKey(t.Context(), *key.AccessKeyId); !errors.Is(err, authn.ErrUnknown) {
		t.Errorf("inactive: %v", err)
	}
	run[api.DeleteAccessKeyOutput](t, h, h.root(), &api.DeleteAccessKeyInput{AccessKeyId: key.AccessKeyId})
}

func TestServiceSpecificCredentials(t *testing.T) {
	h := newHost(t)
	create := func(name string) *types.ServiceSpecificCredential {
		t.Helper()
		return run[api.CreateServiceSpecificCredentialOutput](t, h, h.root(), &api.CreateServiceSpecificCredentialInput{UserName: &name, ServiceName: aws.String(gitService)}).ServiceSpecificCredential
	}
	for _, name := range []string{"dev", "dev+1"} {
		setUp(t, h, &api.CreateUserInput{UserName: &name})
	}
	taken := create("dev+1")
	first, second := create("dev"), create("dev")
	for want, got := range map[string]*types.ServiceSpecificCredential{
		"dev+1-at-" + account: taken, "dev-at-" + account: first, "dev+2-at-" + account: second,
	} {
		if *got.ServiceUserName != want || len(*got.ServicePassword) != 44 || *got.ServiceName != gitService {
			t.Errorf("credential %+v, want the user name %s", got, want)
		}
	}
	_, err := invoke(t, h, h.root(), &api.CreateServiceSpecificCredentialInput{UserName: aws.String("dev"), ServiceName: aws.String(gitService)})
	wantFault(t, "a third", err, "LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2")

	login := func(userName, password string, want error) {
		t.Helper()
		id, err := h.service.GitPassword(t.Context(), userName, password)
		if !errors.Is(err, want) {
			t.Errorf("%s logs in with %v, want %v", userName, err, want)
		}
		if err == nil && (id.Principal.Name != "dev" || id.Credential != authz.Credential{Kind: "service-specific", ID: *first.ServiceSpecificCredentialId}) {
			t.Errorf("%s logs in as %+v", userName, id)
		}
	}
	name, password := *first.ServiceUserName, *first.ServicePassword
	login(name, password, nil)
	login(name, *second.ServicePassword, authn.ErrUnknown)
	login(name, "", authn.ErrUnknown)
	login("nobody-at-"+account, password, authn.ErrUnknown)
	login(strings.ToUpper(name), password, authn.ErrUnknown)
	for _, step := range []struct {
		status types.StatusType
		want   error
	}{{"Inactive", authn.ErrUnknown}, {"Active", nil}} {
		run[api.UpdateServiceSpecificCredentialOutput](t, h, h.root(), &api.UpdateServiceSpecificCredentialInput{UserName: aws.String("dev"),
			ServiceSpecificCredentialId: first.ServiceSpecificCredentialId, Status: step.status})
		login(name, password, step.want)
	}
	reset := run[api.ResetServiceSpecificCredentialOutput](t, h, h.root(), &api.ResetServiceSpecificCredentialInput{UserName: aws.String("dev"),
		ServiceSpecificCredentialId: first.ServiceSpecificCredentialId}).ServiceSpecificCredential
	login(name, password, authn.ErrUnknown)
	login(*reset.ServiceUserName, *reset.ServicePassword, nil)

	_, err = invoke(t, h, h.root(), &api.DeleteServiceSpecificCredentialInput{UserName: aws.String("dev+1"), ServiceSpecificCredentialId: first.ServiceSpecificCredentialId})
	wantFault(t, "another user's", err, "NoSuchEntity", "No such credential "+*first.ServiceSpecificCredentialId+" exists")
	all := run[api.ListServiceSpecificCredentialsOutput](t, h, h.root(), &api.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true), MaxItems: aws.Int32(2)})
	if len(all.ServiceSpecificCredentials) != 2 || !all.IsTruncated {
		t.Errorf("of all users: %+v", all)
	}
	run[api.DeleteServiceSpecificCredentialOutput](t, h, h.root(), &api.DeleteServiceSpecificCredentialInput{UserName: aws.String("dev"), ServiceSpecificCredentialId: first.ServiceSpecificCredentialId})
	login(name, *reset.ServicePassword, authn.ErrUnknown)
	if again := create("dev"); *again.ServiceUserName != name {
		t.Errorf("the free name is not used again: %s", *again.ServiceUserName)
	}
}

// AWS itself can be raced past the limit.
func TestLimitsHoldUnderRace(t *testing.T) {
	h := newHost(t)
	u := aws.String("u")
	setUp(t, h, &api.CreateUserInput{UserName: u})
	var keys, credentials atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := invoke(t, h, h.root(), &api.CreateAccessKeyInput{UserName: u}); err == nil {
				keys.Add(1)
			}
		})
		wg.Go(func() {
			if _, err := invoke(t, h, h.root(), &api.CreateServiceSpecificCredentialInput{UserName: u, ServiceName: aws.String(gitService)}); err == nil {
				credentials.Add(1)
			}
		})
	}
	wg.Wait()
	if keys.Load() != 2 || credentials.Load() != 2 {
		t.Errorf("%d keys and %d credentials were made, want 2 and 2", keys.Load(), credentials.Load())
	}
}

// exchanging is a store in which, between the checks of a request and its run, the user
// is deleted and another of the same name made elsewhere.
type exchanging struct {
	iam.Store
	once  sync.Once
	swap  func(ctx context.Context, tx iam.Tx) error
	armed atomic.Bool
}

func (s *exchanging) Update(ctx context.Context, account string, f func(ctx context.Context, tx iam.Tx) error) error {
	if s.armed.Load() {
		var err error
		s.once.Do(func() { err = s.Store.Update(ctx, account, s.swap) })
		if err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, account, f)
}

// What was allowed on one user must not be done to another who got the name since.
func TestExchangedUser(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	setUp(t, h, &api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(allow(`"iam:CreateAccessKey"`, `"arn:aws:iam::*:user/dev/*"`))},
		&api.CreateUserInput{UserName: aws.String("target"), Path: aws.String("/dev/")})
	s := &exchanging{Store: h.service.Store}
	s.swap = func(ctx context.Context, tx iam.Tx) error {
		u, err := tx.User(ctx, account, "target")
		if err != nil {
			return err
		}
		return errors.Join(tx.DeleteUser(ctx, account, u.ID),
			tx.InsertUser(ctx, iam.User{Account: account, ID: "AIDANEW", Name: "target", Path: "/admin/"}))
	}
	h.service.Store = s
	s.armed.Store(true)
	_, err := invoke(t, h, bob, &api.CreateAccessKeyInput{UserName: aws.String("target")})
	wantFault(t, "create a key of the exchanged user", err, "ConcurrentModification", "")
}

// No secret is in a log, in the decision log, or in an error.
func TestSecretsStaySecret(t *testing.T) {
	h := newHost(t)
	made, err := h.service.EnsureRoot(t.Context(), "", secretText(""))
	if err != nil {
		t.Fatal(err)
	}
	alice := user(t, h, "alice")
	key := run[api.CreateAccessKeyOutput](t, h, h.root(), &api.CreateAccessKeyInput{UserName: aws.String("alice")}).AccessKey
	c := run[api.CreateServiceSpecificCredentialOutput](t, h, h.root(), &api.CreateServiceSpecificCredentialInput{UserName: aws.String("alice"), ServiceName: aws.String(gitService)}).ServiceSpecificCredential
	reset := run[api.ResetServiceSpecificCredentialOutput](t, h, h.root(), &api.ResetServiceSpecificCredentialInput{UserName: aws.String("alice"), ServiceSpecificCredentialId: c.ServiceSpecificCredentialId}).ServiceSpecificCredential
	_, refused := invoke(t, h, alice, &api.CreateAccessKeyInput{})
	_, overLimit := invoke(t, h, h.root(), &api.CreateAccessKeyInput{UserName: aws.String("alice")})
	_, wrong := h.service.GitPassword(t.Context(), *c.ServiceUserName, *c.ServicePassword)
	given := secretText("a given secret")
	if _, err := h.service.EnsureRoot(t.Context(), "AKIAGIVEN", given); err != nil {
		t.Fatal(err)
	}
	_, bad := h.service.EnsureRoot(t.Context(), "not an id", given)
	text := h.log.String() + fmt.Sprintf("%+v %#v %v %v %v %v %+v", h.decisions.entries, made, refused, overLimit, wrong, bad, given)
	for _, plain := range []string{*key.SecretAccessKey, *c.ServicePassword, *reset.ServicePassword, made.Secret.Reveal(), given.Reveal()} {
		if strings.Contains(text, plain) {
			t.Errorf("a secret shows in:\n%s", text)
		}
	}
	if !strings.Contains(h.log.String(), "AKIAGIVEN") {
		t.Error("the log does not tell that root's key was set")
	}
}
