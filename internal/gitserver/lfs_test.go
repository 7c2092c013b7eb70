package gitserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/secret"
)

func newTickets(t testing.TB) *authn.Tickets {
	t.Helper()
	k, err := secret.NewKeeper(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &authn.Tickets{Keeper: k, Now: time.Now}
}

func TestParseLFSRoute(t *testing.T) {
	for path, want := range map[string]lfsRoute{
		"/v1/repos/app.git/info/lfs/objects/batch":      {"app", "objects/batch", ""},
		"/v1/repos/app/info/lfs/objects/batch":          {"app", "objects/batch", ""},
		"/v1/repos/app.git/info/lfs/objects/abc":        {"app", "objects/*", "abc"},
		"/v1/repos/app.git/info/lfs/objects/abc/verify": {"app", "objects/*/verify", "abc"},
		"/v1/repos/app.git/info/lfs/locks":              {"app", "locks", ""},
		"/v1/repos/app.git/info/lfs/locks/verify":       {"app", "locks/verify", ""},
		"/v1/repos/app.git/info/lfs/locks/abc/unlock":   {"app", "locks/*/unlock", "abc"},
		"/v1/repos/app.git.git/info/lfs/locks":          {"app.git", "locks", ""}, // no repository can have the name
	} {
		if got, ok := parseLFSRoute(path); !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", path, got, ok, want)
		}
	}
	for _, path := range []string{
		"", "/", "/v1/repos/", "/v1/repos/app", "/v1/repos/app.git", "/v1/repos/app/info/refs", "/v1/repos/app/git-upload-pack",
		"/v1/repos/app.git/info/lfs", "/v1/repos/app.git/info/lfs/", "/v1/repos/app.git/info/lfs/objects", "/v1/repos/app.git/info/lfs/objects/",
		"/v1/repos/app.git/info/lfs/objects//verify", "/v1/repos/app.git/info/lfs/objects/a/b", "/v1/repos/app.git/info/lfs/locks/",
		"/v1/repos/app.git/info/lfs/locks//unlock", "/v1/repos/app.git//info/lfs/locks", "/v1/repos//info/lfs/locks", "/v1/repos/.git/info/lfs/locks",
		"/v1/repos/a/b.git/info/lfs/locks", "/v2/repos/app.git/info/lfs/locks", "/v1/repos/app.git/info/lfs/locks/x",
		"/v1/repos/app.git/info/lfs/../lfs/locks", "/v1/repos/app.git/info/LFS/locks",
	} {
		if got, ok := parseLFSRoute(path); ok {
			t.Errorf("%q: %+v", path, got)
		}
	}
}

// TestSSHLFS: what git-lfs asks over SSH, and how it is told.
func TestSSHLFS(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	d.host.create("app")
	d.host.forbidden["secret"] = true
	c, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	run := func(command string) (stdout, stderr string, status int) {
		t.Helper()
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		s.Stdout, s.Stderr = &out, &errs
		err = s.Run(command)
		if exit, ok := errors.AsType[*ssh.ExitError](err); ok {
			status = exit.ExitStatus()
		} else if err != nil {
			t.Fatal(err)
		}
		return out.String(), errs.String(), status
	}
	for command, want := range map[string]lfsUse{
		"git-lfs-authenticate /v1/repos/app download":       useDownloads,
		"git-lfs-authenticate /v1/repos/app upload":         useUploads,
		"git-lfs-authenticate v1/repos/app.git upload":      useUploads,
		"git-lfs-authenticate '/v1/repos/app.git' download": useDownloads,
	} {
		out, errs, status := run(command)
		var a lfs.Action
		if err := json.Unmarshal([]byte(out), &a); err != nil || status != 0 || errs != "" {
			t.Fatalf("%s: %d, %q, %q (%v)", command, status, out, errs, err)
		}
		if a.Href != "http://git.example.com/v1/repos/app.git/info/lfs" || a.ExpiresIn != 900 {
			t.Errorf("%s: %+v", command, a)
		}
		proof, text, err := d.server.Tickets.Open(strings.TrimPrefix(a.Header["Authorization"], ticketScheme))
		if err != nil {
			t.Fatal(err)
		}
		var scope lfsScope
		if err := json.Unmarshal([]byte(text), &scope); err != nil || cmp.Diff(lfsScope{Repository: "app", Use: want}, scope) != "" {
			t.Errorf("%s: the ticket is for %s (%v)", command, text, err)
		}
		v := &authn.Verifier{Source: d.keys, Region: "us-east-1", Now: time.Now}
		if id, err := v.Prove(t.Context(), proof, "any.example.com", "/any"); err != nil || id.Principal.Name != "alice" {
			t.Errorf("%s: the ticket proves %+v, %v", command, id, err)
		}
	}
	for command, want := range map[string]struct {
		status int
		text   string
	}{
		"git-lfs-transfer /v1/repos/app delete":             {1, "neither download nor upload"},
		"git-lfs-transfer /v1/repos/none upload":            {1, "repository not found"},
		"git-lfs-transfer /v1/repos/secret download":        {1, "not authorized to perform: codecommit:GitPull"},
		"git-lfs-transfer /v1/repos/secret upload":          {1, "not authorized to perform: codecommit:GitPush"},
		"git-lfs-authenticate /v1/repos/app delete":         {1, "neither download nor upload"},
		"git-lfs-authenticate /v1/repos/app ":               {1, "neither download nor upload"},
		"git-lfs-authenticate /v1/repos/none upload":        {1, "repository not found"},
		"git-lfs-authenticate /v1/repos/secret download":    {1, "not authorized to perform: codecommit:GitPull"},
		"git-lfs-authenticate /v1/repos/secret upload":      {1, "not authorized to perform: codecommit:GitPush"},
		"git-lfs-authenticate /etc upload":                  {1, "repository not found"},
		"git-lfs-authenticate /v1/repos/../x upload":        {1, "repository not found"},
		"git-lfs-authenticate '/v1/repos/app;id' upload":    {1, "repository not found"},
		"git-lfs-authenticate //v1/repos/app upload":        {1, "repository not found"},
		"git-lfs-authenticate /v1/repos/app.git.git upload": {1, "repository not found"},
	} {
		out, errs, status := run(command)
		if status != want.status || !strings.Contains(errs, want.text) || out != "" {
			t.Errorf("%s: %d, %q, %q; want %d, %q", command, status, out, errs, want.status, want.text)
		}
	}
	delete(d.keys.sshKeys, aliceKey)
	if out, errs, status := run("git-lfs-authenticate /v1/repos/app download"); status != 1 || out != "" || !strings.Contains(errs, "the credentials are wrong") {
		t.Errorf("with a deactivated key: %d, %q, %q", status, out, errs)
	}
}

func FuzzParseLFSRoute(f *testing.F) {
	f.Add("/v1/repos/app.git/info/lfs/locks/abc/unlock")
	f.Add("/v1/repos/../info/lfs/objects/batch")
	f.Fuzz(func(t *testing.T, path string) {
		r, ok := parseLFSRoute(path)
		if !ok {
			return
		}
		if r.repository == "" || strings.Contains(r.repository+r.id, "/") || strings.Contains(r.endpoint, "*") != (r.id != "") {
			t.Errorf("%q: %+v", path, r)
		}
		whole := strings.Replace(r.endpoint, "*", r.id, 1)
		if path != root+r.repository+".git/info/lfs/"+whole && path != root+r.repository+"/info/lfs/"+whole {
			t.Errorf("%q is read as %+v", path, r)
		}
	})
}
