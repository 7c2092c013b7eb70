package e2e

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/server"
)

// lfsHost is a host with the story's people, a second repository, and a clock that can be
// put forward.
type lfsHost struct {
	*testing.T
	*hosttest.Host
	junior, senior *person.Person
	keeper         *person.Person // may do everything to every repository
	late           atomic.Int64   // how far the clock is ahead
}

const lfsLimit = 1 << 20 // of an object on this host

func startLFS(t *testing.T, set ...func(*server.Config)) *lfsHost {
	t.Helper()
	l := &lfsHost{T: t}
	l.Host = hosttest.Start(t, func(c *server.Config) {
		for _, f := range set {
			f(c)
		}
		c.MaxLFSBytes = lfsLimit
		c.Now = func() time.Time { return time.Now().Add(time.Duration(l.late.Load())) }
	})
	l.junior, l.senior, _ = l.Story(t)
	l.Repository(t, "Other")
	l.Group(t, "Keepers", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}}`)
	l.keeper = l.Hire(t, "keeper", "Keepers")
	return l
}

// lfsAnswer is an answer whose body was read.
type lfsAnswer struct {
	*http.Response
	body string
}

// lfsMedia is the type of the API's messages.
const lfsMedia = "application/vnd.git-lfs+json"

func (l *lfsHost) do(req *http.Request) lfsAnswer {
	l.Helper()
	resp := do(l.T, req)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		l.Fatal(err)
	}
	return lfsAnswer{resp, string(b)}
}

// wants reports an answer with another status, or without a word.
func (a lfsAnswer) wants(t *testing.T, what string, status int, words ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s: %s, want %d: %s", what, a.Status, status, a.body)
	}
	if status >= 400 {
		var told struct{ Message string }
		if err := json.Unmarshal([]byte(a.body), &told); err != nil || told.Message == "" || a.Header.Get("Content-Type") != lfsMedia {
			t.Errorf("%s: %s %q is no error of the API (%v)", what, a.Header.Get("Content-Type"), a.body, err)
		}
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("%s: no %q in %s", what, w, a.body)
		}
	}
}

// post sends a message as somebody.
func (l *lfsHost) post(p *person.Person, path, body string) lfsAnswer {
	l.Helper()
	req := request(l.T, http.MethodPost, l.URL+"/v1/repos/"+path, body)
	req.Header.Set("Content-Type", lfsMedia+"; charset=utf-8")
	if p != nil {
		req.SetBasicAuth(p.GitUser, p.GitPassword)
	}
	return l.do(req)
}

// lfsAction is an action of a batch's answer.
type lfsAction struct {
	Href      string
	Header    map[string]string
	ExpiresIn int `json:"expires_in"`
}

// lfsObjects is a batch's answer.
type lfsObjects struct {
	Transfer string
	HashAlgo string `json:"hash_algo"`
	Objects  []struct {
		OID           string
		Size          int64
		Authenticated bool
		Actions       map[string]lfsAction
		Error         *struct {
			Code    int
			Message string
		}
	}
}

func oidOf(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// batchOf spells a batch for these contents.
func batchOf(operation, ref string, contents ...string) string {
	var objects []string
	for _, c := range contents {
		objects = append(objects, fmt.Sprintf(`{"oid":%q,"size":%d}`, oidOf(c), len(c)))
	}
	if ref != "" {
		ref = fmt.Sprintf(`"ref":{"name":%q},`, ref)
	}
	return fmt.Sprintf(`{"operation":%q,%s"transfers":["unheard-of"],"objects":[%s]}`, operation, ref, strings.Join(objects, ","))
}

func (l *lfsHost) batch(p *person.Person, repository, operation, ref string, contents ...string) lfsObjects {
	l.Helper()
	a := l.post(p, repository+".git/info/lfs/objects/batch", batchOf(operation, ref, contents...))
	a.wants(l.T, operation, http.StatusOK)
	var out lfsObjects
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || len(out.Objects) != len(contents) || out.Transfer != "basic" || out.HashAlgo != "sha256" {
		l.Fatalf("batch: %v: %s", err, a.body)
	}
	return out
}

// action is the only object's action of this name.
func (l *lfsHost) action(o lfsObjects, name string) lfsAction {
	l.Helper()
	a, ok := o.Objects[0].Actions[name]
	if !ok || !o.Objects[0].Authenticated || a.ExpiresIn != 900 {
		l.Fatalf("no action %s in %+v", name, o)
	}
	return a
}

// act does what an action says; chunked leaves the size out.
func (l *lfsHost) act(method string, a lfsAction, body string, change ...func(*http.Request)) lfsAnswer {
	l.Helper()
	req := request(l.T, method, a.Href, body)
	for k, v := range a.Header {
		req.Header.Set(k, v)
	}
	for _, f := range change {
		f(req)
	}
	return l.do(req)
}

func chunked(r *http.Request)             { r.ContentLength = -1 }
func message(r *http.Request)             { r.Header.Set("Content-Type", lfsMedia) }
func without(r *http.Request)             { r.Header.Del("Authorization") }
func expecting(r *http.Request)           { r.Header.Set("Expect", "100-continue") }
func to(url string) func(r *http.Request) { return func(r *http.Request) { r.URL.Path = url } }
func with(authorization string) func(r *http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", authorization) }
}

const (
	featureRef = "refs/heads/" + demo.Feature
	objectsAt  = "/v1/repos/" + demo.Repository + ".git/info/lfs/objects/"
)

// TestLFSTickets: what a batch gives is good for what it says, and for nothing else.
func TestLFSTickets(t *testing.T) {
	l := startLFS(t)
	const content, other = "the content", "the c0ntent"
	up := l.batch(l.junior, demo.Repository, "upload", featureRef, content)
	put, verify := l.action(up, "upload"), l.action(up, "verify")
	elsewhere := l.action(l.batch(l.keeper, "Other", "upload", featureRef, content), "upload")
	otherPut := l.action(l.batch(l.junior, demo.Repository, "upload", featureRef, other), "upload")
	ticket := put.Header["Authorization"]

	unproven := l.act(http.MethodPut, put, content, without)
	unproven.wants(t, "without a ticket", http.StatusUnauthorized)
	for _, name := range []string{"Lfs-Authenticate", "Www-Authenticate"} {
		if got := unproven.Header.Get(name); !strings.HasPrefix(got, "Basic ") {
			t.Errorf("%s is %q", name, got)
		}
	}
	basic := func(r *http.Request) { r.SetBasicAuth(l.junior.GitUser, l.junior.GitPassword) }
	l.act(http.MethodPut, put, content, basic).wants(t, "with a password alone", http.StatusForbidden)
	l.act(http.MethodPut, put, content, with("Basic x")).wants(t, "with half a password", http.StatusUnauthorized)
	l.act(http.MethodPut, put, content, to(objectsAt+oidOf(other))).wants(t, "another object", http.StatusForbidden)
	l.act(http.MethodPut, put, content, to("/v1/repos/Other.git/info/lfs/objects/"+oidOf(content))).wants(t, "another repository", http.StatusForbidden)
	l.act(http.MethodPut, put, content, with(elsewhere.Header["Authorization"])).wants(t, "of another repository", http.StatusForbidden)
	l.act(http.MethodPut, put, content, with(otherPut.Header["Authorization"])).wants(t, "of another object", http.StatusForbidden)
	l.act(http.MethodPut, put, content, with(verify.Header["Authorization"])).wants(t, "to verify alone", http.StatusForbidden)
	l.act(http.MethodGet, put, "").wants(t, "an upload's, to download", http.StatusForbidden)
	for i := len("Refward "); i < len(ticket); i += 7 {
		b := []byte(ticket)
		b[i] = map[bool]byte{true: 'B', false: 'A'}[b[i] == 'A']
		l.act(http.MethodPut, put, content, with(string(b))).wants(t, fmt.Sprint("changed at ", i), http.StatusUnauthorized)
	}
	l.late.Store(int64(15 * time.Minute))
	l.act(http.MethodPut, put, content).wants(t, "too late", http.StatusUnauthorized)
	l.late.Store(0)
	batch := request(t, http.MethodPost, l.URL+objectsAt+"batch", batchOf("upload", master, content))
	batch.Header.Set("Content-Type", lfsMedia)
	batch.Header.Set("Authorization", ticket)
	l.do(batch).wants(t, "an object's, for a batch", http.StatusForbidden)

	for name, c := range map[string]struct {
		body   string
		change func(*http.Request)
	}{
		"less": {content[1:], chunked}, "more": {content + "!", chunked}, "nothing": {"", chunked}, "other bytes": {other, chunked},
		"other bytes of the size": {other, nil}, "less than announced": {content[1:], nil}, "more than announced": {content + "!", nil},
		"encoded": {content, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }},
	} {
		if c.change == nil {
			c.change = func(*http.Request) {}
		}
		want := http.StatusUnprocessableEntity
		if name == "encoded" {
			want = http.StatusUnsupportedMediaType
		}
		l.act(http.MethodPut, put, c.body, c.change).wants(t, name, want)
	}
	if n := lfsBlobs(t, l.Host); n != 0 {
		t.Errorf("refused uploads left %d blobs", n)
	}
	if o := l.batch(l.junior, demo.Repository, "download", "", content).Objects[0]; o.Error == nil || o.Error.Code != http.StatusNotFound {
		t.Errorf("a refused upload is there: %+v", o)
	}
	l.act(http.MethodPost, verify, fmt.Sprintf(`{"oid":%q,"size":%d}`, oidOf(content), len(content)), message).wants(t, "verify before", http.StatusNotFound)

	l.act(http.MethodPut, put, content, chunked).wants(t, "upload in chunks", http.StatusOK)
	l.act(http.MethodPut, put, content, expecting).wants(t, "again, asking first", http.StatusOK)
	l.act(http.MethodPost, verify, fmt.Sprintf(`{"oid":%q,"size":%d}`, oidOf(content), len(content)), message).wants(t, "verify", http.StatusOK)
	l.act(http.MethodPost, verify, fmt.Sprintf(`{"oid":%q,"size":%d}`, oidOf(content), len(content)+1), message).wants(t, "verify another size", http.StatusForbidden)
	l.act(http.MethodGet, l.action(l.batch(l.junior, demo.Repository, "download", "", content), "download"), "").wants(t, "download", http.StatusOK, content)
}

// TestLFSDecidesAgain: a batch that was allowed is no promise.
func TestLFSDecidesAgain(t *testing.T) {
	l := startLFS(t)
	put := l.action(l.batch(l.junior, demo.Repository, "upload", featureRef, "one"), "upload")
	l.act(http.MethodPut, l.action(l.batch(l.keeper, demo.Repository, "upload", "", "two"), "upload"), "two").wants(t, "upload", http.StatusOK)
	get := l.action(l.batch(l.junior, demo.Repository, "download", "", "two"), "download")
	l.GroupPolicy(t, demo.Juniors, strings.ReplaceAll(demo.JuniorsPolicy(l.Place, l.Account), master, featureRef))
	l.act(http.MethodPut, put, "one").wants(t, "after the branch was closed", http.StatusForbidden, "MayNotChangeMaster", "pull request")
	l.GroupPolicy(t, demo.Juniors, `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "codecommit:GitPull", "Resource": "*"}}`)
	l.act(http.MethodGet, get, "").wants(t, "after reading was denied", http.StatusForbidden, "codecommit:GitPull")
	l.GroupPolicy(t, demo.Juniors, demo.JuniorsPolicy(l.Place, l.Account))
	l.act(http.MethodGet, get, "").wants(t, "after it was allowed", http.StatusOK, "two")
	_, err := l.Root.IAM().UpdateServiceSpecificCredential(t.Context(), &iam.UpdateServiceSpecificCredentialInput{
		UserName: &l.junior.Name, ServiceSpecificCredentialId: &l.junior.CredentialID, Status: types.StatusTypeInactive,
	})
	if err != nil {
		t.Fatal(err)
	}
	l.act(http.MethodPut, put, "one").wants(t, "after the credential was put out of use", http.StatusUnauthorized)
	l.act(http.MethodGet, get, "").wants(t, "to read after that", http.StatusUnauthorized)
}

// TestLFSTellsNothingOfOthers: what one repository has, another does not tell.
func TestLFSTellsNothingOfOthers(t *testing.T) {
	l := startLFS(t)
	l.act(http.MethodPut, l.action(l.batch(l.keeper, "Other", "upload", "", "secret"), "upload"), "secret").wants(t, "upload", http.StatusOK)
	for _, operation := range []string{"download", "upload"} {
		var said []string
		for _, content := range []string{"secret", "nobodys"} {
			o := l.batch(l.keeper, demo.Repository, operation, "", content).Objects[0]
			names := []string{}
			for name := range o.Actions {
				names = append(names, name)
			}
			said = append(said, fmt.Sprint(len(names), o.Error))
			if o.Error != nil {
				said[len(said)-1] = fmt.Sprint(*o.Error)
			}
		}
		if said[0] != said[1] {
			t.Errorf("%s: of an object elsewhere it says %s, of none %s", operation, said[0], said[1])
		}
	}
	// And a ticket of before is not for the next repository of the name.
	get := l.action(l.batch(l.keeper, "Other", "download", "", "secret"), "download")
	name := "Other"
	if _, err := l.Root.CodeCommit().DeleteRepository(t.Context(), &codecommit.DeleteRepositoryInput{RepositoryName: &name}); err != nil {
		t.Fatal(err)
	}
	l.Repository(t, name)
	l.act(http.MethodGet, get, "").wants(t, "of a deleted repository", http.StatusNotFound)
}

// TestLFSRanges: RFC 9110, section 14.
func TestLFSRanges(t *testing.T) {
	l := startLFS(t)
	const content = "0123456789"
	l.act(http.MethodPut, l.action(l.batch(l.senior, demo.Repository, "upload", master, content), "upload"), content).wants(t, "upload", http.StatusOK)
	get := l.action(l.batch(l.senior, demo.Repository, "download", master, content), "download")
	etag := strconv.Quote(oidOf(content))
	for _, tc := range []struct {
		ranges, condition string
		status            int
		contentRange      string
		body              string
	}{
		{"", "", 200, "", content},
		{"bytes=4-", "", 206, "bytes 4-9/10", "456789"},
		{"bytes=4-9", "", 206, "bytes 4-9/10", "456789"},
		{"bytes=0-0", "", 206, "bytes 0-0/10", "0"},
		{"bytes=4-1000", "", 206, "bytes 4-9/10", "456789"},
		{"bytes=-3", "", 206, "bytes 7-9/10", "789"},
		{"bytes=-30", "", 206, "bytes 0-9/10", content},
		{"bytes=4-", etag, 206, "bytes 4-9/10", "456789"},
		{"bytes=4-", `"another"`, 200, "", content},
		{"bytes=10-", "", 416, "bytes */10", ""},
		{"bytes=-0", "", 416, "bytes */10", ""},
		{"bytes=5-4", "", 200, "", content},
		{"bytes=0-1,4-5", "", 200, "", content},
		{"bytes=a-", "", 200, "", content},
		{"bytes=+1-", "", 200, "", content},
		{"bytes=99999999999999999999-", "", 200, "", content},
		{"lines=1-2", "", 200, "", content},
	} {
		a := l.act(http.MethodGet, get, "", func(r *http.Request) {
			r.Header.Set("Accept-Encoding", "identity")
			if tc.ranges != "" {
				r.Header.Set("Range", tc.ranges)
			}
			if tc.condition != "" {
				r.Header.Set("If-Range", tc.condition)
			}
		})
		if a.StatusCode != tc.status || a.Header.Get("Content-Range") != tc.contentRange || tc.status < 400 && a.body != tc.body {
			t.Errorf("Range %q: %d %q %q; want %d %q %q", tc.ranges, a.StatusCode, a.Header.Get("Content-Range"), a.body, tc.status, tc.contentRange, tc.body)
		}
		if tc.status == 200 && (a.Header.Get("Etag") != etag || a.Header.Get("Accept-Ranges") != "bytes" || a.ContentLength != 10) {
			t.Errorf("headers are %v", a.Header)
		}
	}
}

// TestLFSLimits: every bound is told in the API's words.
func TestLFSLimits(t *testing.T) {
	l := startLFS(t)
	at := demo.Repository + ".git/info/lfs/"
	big := l.post(l.senior, at+"objects/batch", fmt.Sprintf(`{"operation":"upload","objects":[{"oid":%q,"size":%d},{"oid":%q,"size":%d}]}`,
		oidOf("a"), lfsLimit, oidOf("b"), lfsLimit+1))
	var out lfsObjects
	if err := json.Unmarshal([]byte(big.body), &out); err != nil || len(out.Objects) != 2 || out.Objects[0].Error != nil ||
		out.Objects[1].Error == nil || out.Objects[1].Error.Code != http.StatusUnprocessableEntity || !strings.Contains(out.Objects[1].Error.Message, strconv.Itoa(lfsLimit)) {
		t.Errorf("an object as large as it may be, and one larger: %v: %s", err, big.body)
	}
	full := strings.Repeat("x", lfsLimit)
	l.act(http.MethodPut, l.action(l.batch(l.senior, demo.Repository, "upload", master, full), "upload"), full).wants(t, "the largest object", http.StatusOK)
	many := make([]string, 1001)
	l.post(l.senior, at+"objects/batch", batchOf("download", "", many...)).wants(t, "too many objects", http.StatusRequestEntityTooLarge, "1000")
	l.post(l.senior, at+"objects/batch", `{"operation":"download","x":"`+strings.Repeat("x", 1<<20)+`"}`).wants(t, "too long a batch", http.StatusRequestEntityTooLarge)
	l.post(l.senior, at+"locks", `{"path":"`+strings.Repeat("x", 64<<10)+`"}`).wants(t, "too long a lock", http.StatusRequestEntityTooLarge)
	l.post(l.senior, at+"locks", `{"path":"../x"}`).wants(t, "a path that leads away", http.StatusUnprocessableEntity)
	l.post(l.senior, at+"locks", `{"path":"x","ref":{"name":"HEAD"}}`).wants(t, "no full ref", http.StatusUnprocessableEntity)
	l.post(l.senior, at+"objects/batch", `{"operation":"upload","objects":[],"hash_algo":"sha512"}`).wants(t, "another hash", http.StatusConflict)
	l.post(l.senior, at+"objects/batch", `{"operation":"upload","objects":[]`).wants(t, "half a message", http.StatusUnprocessableEntity)
	l.post(l.senior, at+"objects/batch", batchOf("upload", "refs/changes/1", "a")).wants(t, "a ref that nobody pushes", http.StatusUnprocessableEntity)
	l.post(nil, at+"objects/batch", batchOf("download", "")).wants(t, "nobody", http.StatusUnauthorized)
	l.post(l.keeper, "Unknown.git/info/lfs/objects/batch", batchOf("download", "")).wants(t, "an unknown repository", http.StatusNotFound)
	l.post(l.junior, "Unknown.git/info/lfs/objects/batch", batchOf("download", "")).wants(t, "one that is not the caller's business", http.StatusForbidden)
	l.post(l.senior, demo.Repository+"/info/lfs/objects/batch", batchOf("download", "")).wants(t, "the address without .git", http.StatusOK, `"objects":[]`)
	l.post(l.senior, at+"locks/unknown/unlock", `{}`).wants(t, "no such lock", http.StatusNotFound)
	l.post(l.senior, at+"locks/verify", `{"cursor":"made up"}`).wants(t, "no such cursor", http.StatusUnprocessableEntity)
	plain := request(t, http.MethodPost, l.URL+objectsAt+"batch", batchOf("download", ""))
	plain.SetBasicAuth(l.senior.GitUser, l.senior.GitPassword)
	plain.Header.Set("Content-Type", "application/json")
	l.do(plain).wants(t, "another media type", http.StatusUnsupportedMediaType)
	wrong := l.do(request(t, http.MethodDelete, l.URL+objectsAt+"batch", ""))
	wrong.wants(t, "another method", http.StatusMethodNotAllowed)
	if got := wrong.Header.Get("Allow"); got != "POST" {
		t.Errorf("Allow is %q", got)
	}
	for _, path := range []string{"", "objects", "objects/", "objects/a/b", "locks/", "locks/a", "locks//unlock", "x"} {
		if a := l.post(l.senior, at+path, `{}`); a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%q: %s", path, a.Status)
		}
	}
}

// TestLFSAsksBeforeTheBody: a client that asks first is refused before it has sent
// anything, and one that stops in the middle leaves nothing.
func TestLFSAsksBeforeTheBody(t *testing.T) {
	l := startLFS(t)
	content := strings.Repeat("x", 100_000)
	put := l.action(l.batch(l.senior, demo.Repository, "upload", master, content), "upload")
	raw := func(authorization, body string, first string) string {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(l.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(conn, "PUT %s%s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Length: %d\r\n%s\r\n%s", objectsAt, oidOf(content),
			strings.TrimPrefix(l.URL, "http://"), authorization, len(content), first, body)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil && body == "" {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if got := raw("Refward x", "", "Expect: 100-continue\r\n"); got != "HTTP/1.1 401 Unauthorized" {
		t.Errorf("a bad ticket is told %q", got)
	}
	if got := raw(put.Header["Authorization"], "", "Expect: 100-continue\r\n"); got != "HTTP/1.1 100 Continue" {
		t.Errorf("a good one is told %q", got)
	}
	hosttest.Eventually(t, 30*time.Second, "what the client left behind is gone", func() bool { return lfsBlobs(t, l.Host) == 0 && lfsTemps(t, l.Host) == 0 })
	l.act(http.MethodPut, put, content).wants(t, "upload", http.StatusOK)
}

// TestLFSByGitSignature: the credential helper of the aws command, as git-lfs asks it.
func TestLFSByGitSignature(t *testing.T) {
	l := startLFS(t)
	user, secretKey := l.junior.AccessKeyID, l.junior.SecretAccessKey
	sign := func(path string) *person.Person {
		at := time.Now().UTC().Format("20060102T150405")
		mac := func(key []byte, text string) []byte {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(text))
			return h.Sum(nil)
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(l.URL, "http://"), ":")
		key := mac(mac(mac(mac([]byte("AWS4"+secretKey), at[:8]), l.Region), "codecommit"), "aws4_request")
		canonical := sha256.Sum256([]byte("GIT\n" + path + "\n\nhost:" + host + "\n\nhost\n"))
		text := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s/%s/codecommit/aws4_request\n%x", at, at[:8], l.Region, canonical)
		return &person.Person{GitUser: user, GitPassword: at + "Z" + fmt.Sprintf("%x", mac(key, text))}
	}
	repository := "/v1/repos/" + demo.Repository
	for i, path := range []string{repository, repository + ".git", repository + ".git/info/lfs", repository + "/info/lfs"} {
		content := fmt.Sprint("content ", i)
		put := l.action(l.batch(sign(path), demo.Repository, "upload", featureRef, content), "upload")
		l.act(http.MethodPut, put, content).wants(t, path, http.StatusOK)
	}
	session, err := l.junior.STS().GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	user, secretKey = *session.Credentials.AccessKeyId+"%"+*session.Credentials.SessionToken, *session.Credentials.SecretAccessKey
	put := l.action(l.batch(sign(repository), demo.Repository, "upload", featureRef, "of a session"), "upload")
	l.act(http.MethodPut, put, "of a session").wants(t, "temporary credentials", http.StatusOK)
	l.post(sign("/v1/repos/Other"), demo.Repository+".git/info/lfs/objects/batch", batchOf("download", "")).wants(t, "for another repository", http.StatusUnauthorized)
	l.post(sign(repository), demo.Repository+".git/info/lfs/objects/batch", batchOf("upload", master, "x")).wants(t, "for master", http.StatusForbidden, "MayNotChangeMaster")
}

// lfsTemps counts the files that uploads under way are written to.
func lfsTemps(t *testing.T, h *hosttest.Host) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(h.Data, "blobs", "~incoming", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// TestLFSUploads: more uploads than there are places for are told to come again, by either
// door, and get in when there is room.
func TestLFSUploads(t *testing.T) {
	l := startLFS(t, func(c *server.Config) { c.Places.LFSUploads = 1 })
	const held, next = "held up", "next"
	up := l.action(l.batch(l.senior, demo.Repository, "upload", featureRef, held), "upload")
	waiting := l.action(l.batch(l.keeper, demo.Repository, "upload", featureRef, next), "upload")
	body, slow := io.Pipe()
	req := request(t, http.MethodPut, up.Href, "")
	req.Body, req.ContentLength = body, int64(len(held))
	req.Header.Set("Authorization", up.Header["Authorization"])
	done := make(chan lfsAnswer, 1)
	go func() { done <- l.do(req) }()
	if _, err := io.WriteString(slow, held[:1]); err != nil { // it has begun to travel
		t.Fatal(err)
	}

	refused := l.act(http.MethodPut, waiting, next)
	for range 100 { // until the other one is there
		if refused.StatusCode != http.StatusOK {
			break
		}
		refused = l.act(http.MethodPut, waiting, next)
	}
	refused.wants(t, "without a place", http.StatusTooManyRequests, "uploads of objects under way", "request_id")
	if got := refused.Header.Get("Retry-After"); got != "10" {
		t.Errorf("to be tried again after %q", got)
	}
	if got := lfsBlobs(t, l.Host); got > 1 {
		t.Errorf("a refused upload left %d blobs", got)
	}
	p := &transferPlay{lfsHost: l, conns: map[string]*ssh.Client{}, names: map[string]string{}, values: map[string]string{}}
	script := "$ junior upload\n> version 1\n> 0000\n> put-object OID(more)\n> size=4\n> 0001\n> more\n> 0000\n"
	if told := p.play(script); !strings.Contains(told, "< status 429\n") || !strings.Contains(told, "uploads of objects under way") {
		t.Errorf("over SSH:\n%s", told)
	}

	if _, err := io.WriteString(slow, held[1:]); err != nil {
		t.Fatal(err)
	}
	if err := slow.Close(); err != nil {
		t.Fatal(err)
	}
	(<-done).wants(t, "the first", http.StatusOK)
	l.act(http.MethodPut, waiting, next).wants(t, "the next, when there is room", http.StatusOK)
	if told := p.play(script); !strings.Contains(told, "> 0000\n< status 200\n< 0001\n< 0000\n= exit 0\n") {
		t.Errorf("over SSH, when there is room:\n%s", told)
	}
}
