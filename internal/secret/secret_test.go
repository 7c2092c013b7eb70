package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func testKeeper(t *testing.T, seed byte) *Keeper {
	t.Helper()
	k, err := NewKeeper(bytes.Repeat([]byte{seed}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTextNeverPrints(t *testing.T) {
	const clear = "hunter2hunter2"
	s := NewText(clear)
	holder := struct {
		Name   string
		Secret Text
		More   *Text
		List   []Text
	}{"a", s, &s, []Text{s}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", s, holder)
	}
	fmt.Fprintln(&out, s, &s, fmt.Errorf("with %w and %v", errors.New("x"), s))
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("message", "secret", s, "holder", holder, "pointer", &s)
	}
	if b, err := json.Marshal(holder); err == nil {
		t.Errorf("JSON was encoded: %s", b)
	}
	if err := gob.NewEncoder(&out).Encode(s); err == nil {
		t.Error("gob was encoded")
	}
	hexed := fmt.Sprintf("%x", clear)
	if got := out.String(); strings.Contains(got, clear) || strings.Contains(strings.ToLower(got), hexed) {
		t.Errorf("the secret printed:\n%s", got)
	}
	if s.Reveal() != clear || !s.Equal(clear) || s.Equal(clear+"x") || s.IsZero() {
		t.Error("the secret is not what it was made of")
	}
}

func TestIdentifiers(t *testing.T) {
	for p, want := range map[Prefix]string{
		AccessKey:         `^AKIA[A-Z2-7]{16}$`,
		SessionKey:        `^ASIA[A-Z2-7]{16}$`,
		User:              `^AIDA[A-Z2-7]{17}$`,
		Group:             `^AGPA[A-Z2-7]{17}$`,
		ServiceCredential: `^ACCA[A-Z2-7]{17}$`,
	} {
		if id := NewID(p); !regexp.MustCompile(want).MatchString(id) {
			t.Errorf("NewID(%s) is %s, want %s", p, id, want)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		for _, s := range []string{NewID(User), NewAccessKeySecret().Reveal(), NewGitPassword().Reveal()} {
			if seen[s] {
				t.Fatalf("%s came twice", s)
			}
			seen[s] = true
		}
	}
	if s := NewAccessKeySecret().Reveal(); !regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`).MatchString(s) {
		t.Errorf("secret access key has the form %q", s)
	}
	if s := NewGitPassword().Reveal(); !regexp.MustCompile(`^[A-Za-z0-9+/]{43}=$`).MatchString(s) {
		t.Errorf("Git password has the form %q", s)
	}
}

func TestSealOpen(t *testing.T) {
	for name, way := range map[string]struct {
		seal func(*Keeper, Text, string) []byte
		open func(*Keeper, []byte, string) (Text, error)
	}{
		"at rest": {(*Keeper).Seal, (*Keeper).Open},
		"ticket":  {(*Keeper).SealTicket, (*Keeper).OpenTicket},
	} {
		t.Run(name, func(t *testing.T) {
			k := testKeeper(t, 1)
			plain := NewText("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
			sealed := way.seal(k, plain, "111122223333/AKIA1")
			if bytes.Contains(sealed, []byte(plain.Reveal())) {
				t.Fatal("the sealed text holds the plain one")
			}
			if again := way.seal(k, plain, "111122223333/AKIA1"); bytes.Equal(again, sealed) {
				t.Error("sealing twice gives the same bytes: the nonce is not random")
			}
			got, err := way.open(k, sealed, "111122223333/AKIA1")
			if err != nil || got != plain {
				t.Fatalf("open answered %v", err)
			}
			if _, err := way.open(k, sealed, "111122223333/AKIA2"); !errors.Is(err, ErrDamaged) {
				t.Errorf("opened in another place: %v, want ErrDamaged", err)
			}
			if _, err := way.open(testKeeper(t, 2), sealed, "111122223333/AKIA1"); !errors.Is(err, ErrKey) {
				t.Errorf("opened with another key: %v, want ErrKey", err)
			}
			for i := range sealed {
				bad := bytes.Clone(sealed)
				bad[i] ^= 1
				if _, err := way.open(k, bad, "111122223333/AKIA1"); err == nil {
					t.Errorf("opened with byte %d changed", i)
				}
				if _, err := way.open(k, sealed[:i], "111122223333/AKIA1"); err == nil {
					t.Errorf("opened when cut to %d bytes", i)
				}
			}
		})
	}
}

// What one of them sealed, the other does not open: a row of a stolen database is no
// session token.
func TestSealsAreApart(t *testing.T) {
	k := testKeeper(t, 1)
	if _, err := k.OpenTicket(k.Seal(NewText("s"), "p"), "p"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a secret at rest opens as a ticket: %v", err)
	}
	if _, err := k.Open(k.SealTicket(NewText("s"), "p"), "p"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a ticket opens as a secret at rest: %v", err)
	}
}

func TestHashMatches(t *testing.T) {
	k := testKeeper(t, 1)
	p := NewGitPassword()
	h := k.Hash(p)
	for s, want := range map[string]bool{p.Reveal(): true, "": false, p.Reveal() + "x": false, p.Reveal()[1:]: false} {
		if got, err := k.Matches(h, s); err != nil || got != want {
			t.Errorf("matches is %v (%v), want %v", got, err, want)
		}
	}
	if bytes.Equal(h[headSize:], testKeeper(t, 2).Hash(p)[headSize:]) {
		t.Error("the hash does not depend on the master key")
	}
	if _, err := testKeeper(t, 2).Matches(h, p.Reveal()); !errors.Is(err, ErrKey) {
		t.Errorf("another key answered %v, want ErrKey", err)
	}
	for _, s := range []string{"", p.Reveal()} {
		if ok, err := k.Matches(k.NoHash(), s); ok || err != nil {
			t.Errorf("%q matches no hash: %v, %v", s, ok, err)
		}
	}
	if _, err := k.Matches(nil, ""); !errors.Is(err, ErrDamaged) {
		t.Errorf("an empty hash answered %v, want ErrDamaged", err)
	}
}

func TestToken(t *testing.T) {
	k := testKeeper(t, 1)
	token := k.Token("ListUsers", "alice")
	if text, ok := k.TokenText("ListUsers", token); text != "alice" || !ok {
		t.Errorf("our own token reads %q, %t", text, ok)
	}
	if text, ok := k.TokenText("ListUsers", k.Token("ListUsers", "")); text != "" || !ok {
		t.Errorf("the token of an empty text reads %q, %t", text, ok)
	}
	// The signature of "alice" before another text, and before a text cut elsewhere.
	signature := k.current.signature("ListUsers", "alice")
	encode := base64.RawURLEncoding.EncodeToString
	for _, c := range []struct{ purpose, token string }{
		{"ListGroups", token},
		{"ListUsersa", encode(append(signature[:signatureSize:signatureSize], "lice"...))},
		{"ListUsers", encode(append(signature[:signatureSize:signatureSize], "bob"...))},
		{"ListUsers", token[1:]},
		{"ListUsers", encode(signature[1:])},
		{"ListUsers", token + "="},
		{"ListUsers", testKeeper(t, 2).Token("ListUsers", "alice")},
		{"ListUsers", ""},
	} {
		if text, ok := k.TokenText(c.purpose, c.token); ok || text != "" {
			t.Errorf("accepted %q as %q of %q", c.token, text, c.purpose)
		}
	}
}

func TestOpenKeeperMakesTheKeyOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keepers := make([]*Keeper, 8)
	var wg sync.WaitGroup
	for i := range keepers {
		wg.Go(func() {
			k, err := OpenKeeper(dir, Text{})
			if err != nil {
				t.Error(err)
				return
			}
			keepers[i] = k
		})
	}
	wg.Wait()
	for _, k := range keepers {
		if k == nil || k.KeyID() != keepers[0].KeyID() {
			t.Fatal("two starts at once made two keys")
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != KeyFile {
		t.Fatalf("the directory holds %v (%v), want the key file alone", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file's mode is %v (%v), want 600", info.Mode(), err)
	}
}

func TestOpenKeeperRefuses(t *testing.T) {
	valid := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, keySize))
	for name, c := range map[string]struct {
		file  string
		mode  os.FileMode
		given string
	}{
		"a file that others can read": {valid, 0o644, ""},
		"a short file":                {valid[:20], 0o600, ""},
		"an empty file":               {"", 0o600, ""},
		"a short given key":           {valid, 0o600, "c2hvcnQ="},
		"a given key not in base64":   {valid, 0o600, "!!!"},
		"a bad file beside a key":     {"x", 0o600, valid},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, KeyFile), []byte(c.file), c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := OpenKeeper(dir, NewText(c.given))
			if err == nil {
				t.Fatal("no error")
			}
			if c.given != "" && strings.Contains(err.Error(), c.given) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func TestGivenKeyStillOpensTheFiles(t *testing.T) {
	dir := t.TempDir()
	old, err := OpenKeeper(dir, Text{})
	if err != nil {
		t.Fatal(err)
	}
	sealed, hash := old.Seal(NewText("s"), "p"), old.Hash(NewText("s"))
	given := NewText(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, keySize)))
	k, err := OpenKeeper(dir, given)
	if err != nil {
		t.Fatal(err)
	}
	if k.KeyID() == old.KeyID() {
		t.Error("the given key is not in use")
	}
	if got, err := k.Open(sealed, "p"); err != nil || !got.Equal("s") {
		t.Errorf("open: %v", err)
	}
	if ok, err := k.Matches(hash, "s"); err != nil || !ok {
		t.Errorf("matches: %v %v", ok, err)
	}
	empty := t.TempDir()
	if _, err := OpenKeeper(empty, given); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(empty); len(entries) != 0 {
		t.Error("a key file was made although a key was given")
	}
}

func FuzzOpen(f *testing.F) {
	k, err := NewKeeper(bytes.Repeat([]byte{1}, keySize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(k.Seal(NewText("s"), "p"))
	f.Add([]byte{version})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		// The seed is the only envelope that was ever made, so nothing else may open.
		if got, err := k.Open(b, "p"); err == nil && !got.Equal("s") {
			t.Errorf("a forged envelope opened")
		}
		if ok, err := k.Matches(b, "s"); err == nil && ok {
			t.Errorf("a forged hash matches")
		}
	})
}
