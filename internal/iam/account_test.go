package iam_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/secret"
)

func secretText(s string) secret.Text { return secret.NewText(s) }

func TestEnsureAccount(t *testing.T) {
	h := newHost(t)
	if err := h.service.EnsureAccount(t.Context()); err != nil {
		t.Errorf("the second start: %v", err)
	}
	other := newService(h.service.Store, h.service.Keeper, h.log)
	other.Account = "444455556666"
	if err := other.EnsureAccount(t.Context()); err == nil || !strings.Contains(err.Error(), account) {
		t.Errorf("another account's data: %v", err)
	}
}

func TestEnsureRoot(t *testing.T) {
	h := newHost(t)
	generation := func() int64 {
		g, err := h.service.Store.Generation(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	ensure := func(id, given string, changes bool) (string, string) {
		t.Helper()
		before := generation()
		made, err := h.service.EnsureRoot(t.Context(), id, secretText(given))
		if err != nil {
			t.Fatal(err)
		}
		if got := generation() != before; got != changes {
			t.Errorf("EnsureRoot(%q) changed something: %t, want %t", id, got, changes)
		}
		return made.ID, made.Secret.Reveal()
	}
	signs := func(id, want string) {
		t.Helper()
		k, err := h.service.SigningKey(t.Context(), id)
		if want == "" {
			if !errors.Is(err, authn.ErrUnknown) {
				t.Errorf("%s still signs: %v", id, err)
			}
			return
		}
		if err != nil || k.Secret != want || k.Identity.Principal.Kind != authz.Root || k.Identity.Principal.ARN.String() != "arn:aws:iam::"+account+":root" {
			t.Errorf("%s signs as %+v: %v", id, k.Identity, err)
		}
	}
	id, plain := ensure("", "", true)
	signs(id, plain)
	if again, _ := ensure("", "", false); again != "" {
		t.Errorf("the second start made %s", again)
	}
	ensure("AKIAGIVEN", "one", true)
	signs("AKIAGIVEN", "one")
	signs(id, "") // the given key took its place
	ensure("AKIAGIVEN", "one", false)
	ensure("AKIAGIVEN", "two", true)
	signs("AKIAGIVEN", "two")
	ensure("", "", false) // no longer given: it stays
	signs("AKIAGIVEN", "two")
	second := run[api.CreateAccessKeyOutput](t, h, h.root(), &api.CreateAccessKeyInput{}).AccessKey
	ensure("AKIAGIVEN", "two", false) // what root made itself stays as well
	signs(*second.AccessKeyId, *second.SecretAccessKey)
}

func TestEnsureRootRefuses(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	for name, given := range map[string][2]string{
		"an ID alone":    {"AKIAGIVEN", ""},
		"a secret alone": {"", "secret"},
		"an odd ID":      {"AKIA/GIVEN", "secret"},
		"a long ID":      {strings.Repeat("A", 129), "secret"},
		"a user's key":   {bob.Credential.ID, "secret"},
	} {
		if _, err := h.service.EnsureRoot(t.Context(), given[0], secretText(given[1])); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if c := h.by(t, bob.Credential.ID); c.Principal.Name != "bob" {
		t.Errorf("bob's key is now of %+v", c.Principal)
	}
}

// What was sealed under a master key that was lost can be set anew.
func TestEnsureRootWithAnotherMasterKey(t *testing.T) {
	h := newHost(t)
	if _, err := h.service.EnsureRoot(t.Context(), "AKIAGIVEN", secretText("one")); err != nil {
		t.Fatal(err)
	}
	keeper, err := secret.NewKeeper(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	s := newService(h.service.Store, keeper, h.log)
	if _, err := s.SigningKey(t.Context(), "AKIAGIVEN"); err == nil || errors.Is(err, authn.ErrUnknown) {
		t.Errorf("a key that cannot be opened: %v, want a failure", err)
	}
	if _, err := s.EnsureRoot(t.Context(), "AKIAGIVEN", secretText("one")); err != nil {
		t.Fatal(err)
	}
	if k, err := s.SigningKey(t.Context(), "AKIAGIVEN"); err != nil || k.Secret != "one" {
		t.Errorf("set anew: %v", err)
	}
}
