package authn

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gitVector was computed with botocore: us-east-1, git-codecommit.us-east-1.amazonaws.com,
// /v1/repos/MyDemoRepo, 2024-01-02 03:04:05.
const gitVector = "20240102T030405Z0f588bef74e2ac4b70b72a0ebf8baa7cf6bcc51c76b85e8a76837044b6fb5ade"

func TestGitVector(t *testing.T) {
	v := verifier()
	v.Region = "us-east-1"
	id, err := v.Git(t.Context(), testKeyID, gitVector, "git-codecommit.us-east-1.amazonaws.com", "/v1/repos/MyDemoRepo")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(identity("git-signature", testKeyID), id); d != "" {
		t.Errorf("identity (-want +got):\n%s", d)
	}
}

// gitSign signs as git-remote-codecommit and the credential helper do.
func gitSign(host, path string, at time.Time) string {
	date := at.Format(gitDate)
	k := deriveKey(testSecret, scope{date: date[:8], region: "eu-west-1", service: "codecommit", term: terminator})
	return date + "Z" + k.sign(date, "GIT\n"+path+"\n\nhost:"+host+"\n\nhost\n")
}

func TestGit(t *testing.T) {
	const host, path = "127.0.0.1:8417", "/v1/repos/app"
	good := gitSign(host, path, testNow)
	for name, tc := range map[string]struct {
		userName, password, path string
		want                     string // the credential's ID, or nothing
	}{
		"helper: host without port":        {testKeyID, gitSign("127.0.0.1", path, testNow), path, testKeyID},
		"git-remote-codecommit: with port": {testKeyID, good, path, testKeyID},
		"slash signed":                     {testKeyID, gitSign(host, path+"/", testNow), path, testKeyID},
		"slash requested":                  {testKeyID, good, path + "/", testKeyID},
		"lone percent":                     {testKeyID + "%", good, path, testKeyID},
		"temporary: host without port":     {testSessionID + "%" + testToken, gitSign("127.0.0.1", path, testNow), path, testSessionID},
		"temporary: host with port":        {testSessionID + "%" + testToken, good, path, testSessionID},
		"temporary, old signature":         {testSessionID + "%" + testToken, gitSign(host, path, testNow.Add(-15*time.Minute-time.Second)), path, ""},
		"temporary, another repository":    {testSessionID + "%" + testToken, good, "/v1/repos/app2", ""},
		"temporary, expired":               {testSessionID + "%old", good, path, ""},
		"temporary, another token":         {testSessionID + "%" + testToken + "x", good, path, ""},
		"temporary, percent-encoded":       {testSessionID + "%25" + testToken, good, path, ""},
		"temporary without its token":      {testSessionID, good, path, ""},
		"temporary, lone percent":          {testSessionID + "%", good, path, ""},
		"an access key with some token":    {testKeyID + "%token", good, path, ""},
		"an access key with a good token":  {testKeyID + "%" + testToken, good, path, ""},
		"a token alone":                    {"%" + testToken, good, path, ""},
		"15 minutes old":                   {testKeyID, gitSign(host, path, testNow.Add(-15*time.Minute)), path, testKeyID},
		"older":                            {testKeyID, gitSign(host, path, testNow.Add(-15*time.Minute-time.Second)), path, ""},
		"15 minutes ahead":                 {testKeyID, gitSign(host, path, testNow.Add(15*time.Minute)), path, testKeyID},
		"further ahead":                    {testKeyID, gitSign(host, path, testNow.Add(15*time.Minute+time.Second)), path, ""},
		"another repository":               {testKeyID, good, "/v1/repos/app2", ""},
		"another host":                     {testKeyID, gitSign("127.0.0.2", path, testNow), path, ""},
		"another date":                     {testKeyID, "20240102T030406Z" + good[16:], path, ""},
		"no such day":                      {testKeyID, "20240231T030405Z" + good[16:], path, ""},
		"upper case":                       {testKeyID, good[:16] + strings.ToUpper(good[16:]), path, ""},
		"unknown key":                      {"AKIDOTHER", good, path, ""},
		"no user name":                     {"", good, path, ""},
		"service-specific":                 {"alice-at-111122223333", "secret=", path, "ACCA1"},
		"wrong password":                   {"alice-at-111122223333", "secret", path, ""},
		"no password":                      {"alice-at-111122223333", "", path, ""},
		"a long password":                  {"alice-at-111122223333", strings.Repeat("x", maxBasic+1), path, ""},
		"the secret itself":                {testKeyID, testSecret, path, ""},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := verifier().Git(t.Context(), tc.userName, tc.password, host, tc.path)
			if tc.want == "" {
				if !errors.Is(err, ErrUnknown) || id != (Identity{}) {
					t.Errorf("got %v, %v, want ErrUnknown", id, err)
				}
				return
			}
			if err != nil || id.Credential.ID != tc.want {
				t.Errorf("got %v, %v, want %s", id, err, tc.want)
			}
		})
	}
}

func FuzzGitPassword(f *testing.F) {
	const host, path = "127.0.0.1:8417", "/v1/repos/app"
	good := gitSign(host, path, testNow)
	f.Add(testKeyID, good)
	f.Add(testKeyID+"%", gitVector)
	f.Add(testSessionID+"%"+testToken, good)
	f.Add(testSessionID+"%old", good)
	f.Add("alice-at-111122223333", "secret=")
	f.Add("%%", "20240102T030405Z")
	v := verifier()
	f.Fuzz(func(t *testing.T, userName, password string) {
		id, err := v.Git(t.Context(), userName, password, host, path)
		switch {
		case err != nil && !errors.Is(err, ErrUnknown):
			t.Errorf("%q, %q: %v", userName, password, err)
		case err == nil && password != good && password != "secret=":
			t.Errorf("%q, %q is %v", userName, password, id)
		}
	})
}

func BenchmarkGitSignature(b *testing.B) {
	good := gitSign("127.0.0.1:8417", "/v1/repos/app", testNow)
	v := verifier()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Git(b.Context(), testKeyID, good, "127.0.0.1:8417", "/v1/repos/app"); err != nil {
			b.Fatal(err)
		}
	}
}
