package iam

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/secret"
)

func FuzzParsePublicKey(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOF68b3GKP7WEAMKJdQ9E6aFIi+LAT26Wn1YvT+T2dfh alice@example")
	f.Add("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA4XrxvcYo/tYQAwol1D0TpoUiL4sBPbpafVi9P5PZ1+E=\n-----END PUBLIC KEY-----\n")
	f.Add("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n")
	f.Add(`no-pty,command="x" ssh-rsa AAAA`)
	f.Add("ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAAE=")
	f.Fuzz(func(t *testing.T, body string) {
		key, comment, err := parsePublicKey(body)
		if err != nil {
			if _, ok := errors.AsType[*fault.Fault](err); !ok {
				t.Errorf("not a fault: %v", err)
			}
			return
		}
		// What is accepted survives both encodings.
		line := authorizedKey(key, comment)
		again, comment2, err := parsePublicKey(line)
		if err != nil || string(again.Marshal()) != string(key.Marshal()) || comment2 != comment {
			t.Errorf("%q became %q: %v", body, line, err)
		}
		block, err := pemKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if again, _, err = parsePublicKey(block); err != nil || string(again.Marshal()) != string(key.Marshal()) {
			t.Errorf("%q became %q: %v", body, block, err)
		}
		if _, err := ssh.ParsePublicKey(key.Marshal()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzMarker(f *testing.F) {
	keeper, err := secret.NewKeeper(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	s := &Service{Keeper: keeper, Now: time.Now}
	_, marker := cut(s, listing{purpose: "ListUsers /", items: 1}, []string{"a", "b"}, strings.Clone)
	f.Add(*marker)
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, m string) {
		l, err := s.listing("ListUsers /", nil, &m)
		if err == nil && l.after != "a" {
			t.Errorf("the marker %q is forged and means %q", m, l.after)
		}
		if err != nil && !fault.Has(err, fault.ValidationError) {
			t.Errorf("not a ValidationError: %v", err)
		}
	})
}

func FuzzEncoded(f *testing.F) {
	f.Add("{\"a\": \"é+%~ \"}\r\n")
	f.Fuzz(func(t *testing.T, document string) {
		got, err := url.PathUnescape(*encoded(document))
		if err != nil || got != document {
			t.Errorf("%q came back as %q: %v", document, got, err)
		}
	})
}
