package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// attack is one malformed request and how it must be answered.
type attack struct {
	name   string
	send   func(t *testing.T, p *person.Person) *http.Response
	status string // of the answer: a pattern
	body   string // that the answer's body has: a pattern
}

// TestMalformedRequests sends every door what no client would, and expects the
// service's own refusal, and a host that goes on.
func TestMalformedRequests(t *testing.T) {
	h := hosttest.StartProcess(t)
	setUpWriters(t, h.Root, h.Place, h.Account)
	p, err := h.Root.Hire(t.Context(), "writer")
	if err != nil {
		t.Fatal(err)
	}
	addToGroup(t, h.Root, "writer", demo.Approvers)
	root := *h.Root
	root.GitUser, root.GitPassword = p.GitUser, p.GitPassword

	for _, table := range [][]attack{jsonAttacks(), queryAttacks(), gitAttacks()} {
		for _, a := range table {
			t.Run(a.name, func(t *testing.T) {
				resp := a.send(t, &root)
				body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
				if err != nil {
					t.Fatal(err)
				}
				if ok, _ := regexp.MatchString("^(?:"+a.status+")$", strconv.Itoa(resp.StatusCode)); !ok {
					t.Errorf("status %d, want %s; body %q", resp.StatusCode, a.status, body)
				}
				if ok, _ := regexp.Match(a.body, body); !ok {
					t.Errorf("no %s in %q", a.body, body)
				}
			})
		}
	}
	healthy(t, h)
	if refs := hosttest.Refs(t, p, h.URL+"/v1/repos/"+demo.Repository); len(refs) != 0 {
		t.Errorf("refs came to be: %v", refs)
	}
}

// healthy asks whether the process still does its work and has not panicked.
func healthy(t *testing.T, h *hosttest.Process) {
	t.Helper()
	if _, err := h.Root.STS().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Errorf("the host does not answer any more: %v", err)
	}
	if strings.Contains(h.Log(), "panic") {
		t.Errorf("the host panicked:\n%s", h.Log())
	}
}

// do sends a request and hands over the answer, which is closed with the test.
func do(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	// The end of the test closes the body.
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// sign signs with the secret given, which need not be the person's.
func sign(t *testing.T, req *http.Request, p *person.Person, key, service, body string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: p.AccessKeyID, SecretAccessKey: key},
		req, hex.EncodeToString(sum[:]), service, p.Region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
}

// target is a signed call of the JSON API.
func target(operation, body string) func(*testing.T, *person.Person) *http.Response {
	return func(t *testing.T, p *person.Person) *http.Response {
		t.Helper()
		req := request(t, http.MethodPost, p.URL+"/", body)
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", "CodeCommit_20150413."+operation)
		sign(t, req, p, p.SecretAccessKey, "codecommit", body)
		return do(t, req)
	}
}

func jsonAttacks() []attack {
	const bad = "4.."
	all := []attack{
		{"json: truncated", target("GetRepository", `{"repositoryName":"MyDe`), "400", "SerializationException"},
		{"json: not an object", target("GetRepository", `[1,2,3]`), "400", "SerializationException"},
		{"json: wrong type", target("GetRepository", `{"repositoryName":5}`), "400", "SerializationException"},
		{"json: wrong type of a list", target("BatchGetRepositories", `{"repositoryNames":"MyDemoRepo"}`), "400", "SerializationException"},
		{"json: deep nesting", target("GetRepository", `{"x":`+strings.Repeat("[", 100_000)), "400", "SerializationException"},
		{"json: garbage behind", target("GetRepository", `{"repositoryName":"a"}}}`), "400", "SerializationException"},
		{"json: empty input", target("GetRepository", `{}`), "400", "RepositoryNameRequiredException"},
		{"json: no body", target("GetRepository", ``), "400", "Exception"},
		{"json: unknown operation", target("DropEverything", `{}`), bad, "Unknown|Invalid"},
		{"json: unbuilt operation", target("CreateApprovalRuleTemplate", `{}`), "4..|501", "NotImplemented"},
		{"json: file path up", target("PutFile", putFile(`../../etc/passwd`)), "400", "Path"},
		{"json: file path with an empty part", target("PutFile", putFile(`etc//passwd`)), "400", "Path"},
		{"json: file path .git", target("PutFile", putFile(`.git/config`)), "400", "Path"},
		{"json: huge file name", target("PutFile", putFile(strings.Repeat("a/", 5000)+"b")), "400", "Path"},
	}
	for _, name := range []string{"../../etc/passwd", "a/b", "..", ".", "a\\u0000b", "a b", strings.Repeat("a", 101), "x.git", "\\u202e"} {
		all = append(all, attack{"json: repository name " + name, target("CreateRepository", `{"repositoryName":"`+name+`"}`), "400", "InvalidRepositoryNameException"})
	}
	for _, name := range []string{"../x", "a..b", "-x", "a.lock", "a b", "a\\u0001", "@{", "HEAD", strings.Repeat("a", 257), strings.Repeat("a", 40), "a//b", "/a", "a~1"} {
		body := `{"repositoryName":"MyDemoRepo","branchName":"` + name + `","commitId":"` + strings.Repeat("1", 40) + `"}`
		all = append(all, attack{"json: branch name " + name, target("CreateBranch", body), "400", "InvalidBranchNameException"})
	}
	return append(all,
		attack{"json: unsigned", func(t *testing.T, p *person.Person) *http.Response {
			req := request(t, http.MethodPost, p.URL+"/", `{}`)
			req.Header.Set("X-Amz-Target", "CodeCommit_20150413.ListRepositories")
			return do(t, req)
		}, bad, "MissingAuthenticationToken"},
		attack{"json: signed by another key", func(t *testing.T, p *person.Person) *http.Response {
			req := request(t, http.MethodPost, p.URL+"/", `{}`)
			req.Header.Set("X-Amz-Target", "CodeCommit_20150413.ListRepositories")
			sign(t, req, p, "another secret", "codecommit", `{}`)
			return do(t, req)
		}, bad, "Signature"},
		attack{"json: another body than signed", func(t *testing.T, p *person.Person) *http.Response {
			req := request(t, http.MethodPost, p.URL+"/", `{"sortBy":"x"}`)
			req.Header.Set("X-Amz-Target", "CodeCommit_20150413.ListRepositories")
			sign(t, req, p, p.SecretAccessKey, "codecommit", `{}`)
			return do(t, req)
		}, bad, "Signature|Exception"},
		attack{"json: garbage for a signature", func(t *testing.T, p *person.Person) *http.Response {
			req := request(t, http.MethodPost, p.URL+"/", `{}`)
			req.Header.Set("X-Amz-Target", "CodeCommit_20150413.ListRepositories")
			req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=,,,/=/, SignedHeaders=;;;, Signature=\xff")
			return do(t, req)
		}, bad, "Signature"},
	)
}

func putFile(path string) string {
	return `{"repositoryName":"MyDemoRepo","branchName":"master","filePath":"` + path + `","fileContent":"eA=="}`
}

// form is a signed call of the query API.
func form(service string, values url.Values) func(*testing.T, *person.Person) *http.Response {
	return raw(service, values.Encode())
}

func raw(service, body string) func(*testing.T, *person.Person) *http.Response {
	return func(t *testing.T, p *person.Person) *http.Response {
		t.Helper()
		req := request(t, http.MethodPost, p.URL+"/", body)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		sign(t, req, p, p.SecretAccessKey, service, body)
		return do(t, req)
	}
}

func queryAttacks() []attack {
	call := func(action string, more ...string) url.Values {
		v := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	return []attack{
		{"query: no action", form("iam", url.Values{"Version": {"2010-05-08"}}), "400", "MissingAction|InvalidAction"},
		{"query: unknown action", form("iam", call("DropEverything")), "400", "InvalidAction"},
		{"query: another version", form("iam", url.Values{"Action": {"ListUsers"}, "Version": {"1999-01-01"}}), "400", "InvalidAction|NoSuchVersion"},
		{"query: user name up", form("iam", call("CreateUser", "UserName", "../../root")), "400", "ValidationError"},
		{"query: long user name", form("iam", call("CreateUser", "UserName", strings.Repeat("a", 65))), "400", "ValidationError"},
		{"query: no user name", form("iam", call("CreateUser")), "400", "ValidationError"},
		{"query: number that is none", form("iam", call("ListUsers", "MaxItems", "many")), "400", "MalformedInput|ValidationError"},
		{"query: bad escapes", raw("iam", "Action=%zz&%%%"), "400", "Malformed|InvalidAction|MissingAction"},
		{"query: policy that is no JSON", form("iam", call("PutGroupPolicy", "GroupName", demo.Approvers, "PolicyName", "x", "PolicyDocument", "{")), "400", "MalformedPolicyDocument"},
		{"query: index without end", form("iam", call("TagUser", "UserName", "writer", "Tags.member.99999999999999999999.Key", "x")), "400", "Malformed|ValidationError"},
		{"query: unknown key", func(t *testing.T, p *person.Person) *http.Response {
			other := *p
			other.AccessKeyID = "AKIAAAAAAAAAAAAAAAAA"
			return form("iam", call("ListUsers"))(t, &other)
		}, "403", "InvalidClientTokenId"},
	}
}

// git is a request of a Git client with the person's credential.
func git(method, path, contentType, body string) func(*testing.T, *person.Person) *http.Response {
	return func(t *testing.T, p *person.Person) *http.Response {
		t.Helper()
		req := request(t, method, p.URL+path, body)
		req.SetBasicAuth(p.GitUser, p.GitPassword)
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		return do(t, req)
	}
}

const (
	repository  = "/v1/repos/" + demo.Repository
	receiveType = "application/x-git-receive-pack-request"
	uploadType  = "application/x-git-upload-pack-request"
)

func receive(body string) func(*testing.T, *person.Person) *http.Response {
	return git(http.MethodPost, repository+"/git-receive-pack", receiveType, body)
}

func pkt(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

func gitAttacks() []attack {
	const (
		one  = "1111111111111111111111111111111111111111"
		none = "0000000000000000000000000000000000000000"
	)
	create := func(ref string) string {
		return pkt(none+" "+one+" "+ref+"\x00report-status") + "0000" + "PACK\x00\x00\x00\x02\x00\x00\x00\x00"
	}
	// A refusal is a status of the request, or a report on the ref.
	const refused = "4..|200"
	all := []attack{
		{"git: no credential", func(t *testing.T, p *person.Person) *http.Response {
			return do(t, request(t, http.MethodGet, p.URL+repository+"/info/refs?service=git-upload-pack", ""))
		}, "401", ""},
		{"git: unknown service", git(http.MethodGet, repository+"/info/refs?service=git-shell", "", ""), "4..", ""},
		{"git: wrong method", git(http.MethodPut, repository+"/git-receive-pack", receiveType, ""), "4..", ""},
		{"git: wrong type", git(http.MethodPost, repository+"/git-receive-pack", "text/plain", "0000"), "4..", ""},
		{"git: path up", git(http.MethodGet, "/v1/repos/../../etc/passwd/info/refs?service=git-upload-pack", "", ""), "4..", ""},
		{"git: path up, escaped", git(http.MethodGet, "/v1/repos/%2e%2e%2f%2e%2e%2fetc/info/refs?service=git-upload-pack", "", ""), "4..", ""},
		{"git: an object's file", git(http.MethodGet, repository+"/objects/info/packs", "", ""), "4..", ""},
		{"git: no pkt-line", receive("zzzz"), refused, ""},
		{"git: a length without text", receive("00"), refused, ""},
		{"git: a pkt-line too short", receive("0003"), refused, ""},
		{"git: a pkt-line that lies", receive("ffff" + one), refused, ""},
		{"git: no command", receive("0000"), refused, ""},
		{"git: a command of garbage", receive(pkt("garbage") + "0000"), refused, ""},
		{"git: an object ID of garbage", receive(pkt(strings.Repeat("g", 40)+" "+one+" refs/heads/x\x00report-status") + "0000"), refused, ""},
		{"git: no pack", receive(pkt(none+" "+one+" refs/heads/x\x00report-status") + "0000"), refused, ""},
		{"git: a pack of garbage", receive(pkt(none+" "+one+" refs/heads/x\x00report-status") + "0000" + "PACKgarbage"), refused, ""},
		{"git: fetch of garbage", git(http.MethodPost, repository+"/git-upload-pack", uploadType, "zzzz"), refused, ""},
		{"git: fetch of what is not there", git(http.MethodPost, repository+"/git-upload-pack", uploadType, pkt("want "+one+"\n")+"0000"+pkt("done\n")), refused, ""},
		{"git: gzip that is none", func(t *testing.T, p *person.Person) *http.Response {
			req := request(t, http.MethodPost, p.URL+repository+"/git-upload-pack", "not gzip")
			req.SetBasicAuth(p.GitUser, p.GitPassword)
			req.Header.Set("Content-Type", uploadType)
			req.Header.Set("Content-Encoding", "gzip")
			return do(t, req)
		}, "4..", ""},
	}
	for _, ref := range []string{"HEAD", "master", "refs/heads/../../x", "refs/heads/a b", "refs/heads/a\x01", "refs/heads/.lock", "refs/heads/-x", "refs/heads/" + strings.Repeat("a", 5000), "refs/heads/a\nb", "../../etc/passwd", "refs/heads/" + one} {
		all = append(all, attack{"git: ref " + strconv.Quote(ref)[:min(len(strconv.Quote(ref)), 40)], receive(create(ref)), refused, ""})
	}
	return all
}

// zeros is a body of n bytes that costs nothing to make.
type zeros struct{ left int64 }

// Read implements [io.Reader].
func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}

const gigabyte = 1 << 30

// TestHugeBodies streams a gigabyte to each door: it is refused, and costs no memory.
func TestHugeBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("sends gigabytes: not with -short")
	}
	h := hosttest.StartProcess(t)
	setUpWriters(t, h.Root, h.Place, h.Account)
	p, err := h.Root.Hire(t.Context(), "stranger") // without any policy
	if err != nil {
		t.Fatal(err)
	}
	writer, err := h.Root.Hire(t.Context(), "writer")
	if err != nil {
		t.Fatal(err)
	}
	addToGroup(t, h.Root, "writer", demo.Approvers)
	before := peak(t, h)
	command := pkt("0000000000000000000000000000000000000000 1111111111111111111111111111111111111111 refs/heads/x\x00report-status") + "0000"
	bodies := []struct {
		name string
		path string
		prep func(*http.Request)
		head string
	}{
		{"api, signed", "/", func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "CodeCommit_20150413.GetRepository")
			sign(t, r, h.Root, h.Root.SecretAccessKey, "codecommit", "")
		}, ""},
		{"api, unsigned", "/", func(r *http.Request) { r.Header.Set("X-Amz-Target", "CodeCommit_20150413.GetRepository") }, ""},
		{"query, signed", "/", func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			sign(t, r, h.Root, h.Root.SecretAccessKey, "iam", "")
		}, "Action=ListUsers&Version=2010-05-08&x="},
		{"push without rights", repository + "/git-receive-pack", basic(p, receiveType), command},
		{"push of no pack", repository + "/git-receive-pack", basic(writer, receiveType), command},
		{"push of no pkt-line", repository + "/git-receive-pack", basic(writer, receiveType), ""},
		{"fetch of no pkt-line", repository + "/git-upload-pack", basic(writer, uploadType), ""},
	}
	for _, b := range bodies {
		t.Run(b.name, func(t *testing.T) {
			body := io.MultiReader(strings.NewReader(b.head), &zeros{gigabyte})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+b.path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = gigabyte + int64(len(b.head))
			b.prep(req)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Logf("the host hung up: %v", err) // on somebody who goes on sending
				return
			}
			defer func() { _ = resp.Body.Close() }()
			answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
			if resp.StatusCode >= 500 || resp.StatusCode < 400 && !bytes.Contains(answer, []byte("ng refs/heads/x")) && !bytes.Contains(answer, []byte("unpack ")) && !bytes.Contains(answer, []byte("ERR")) {
				t.Errorf("status %d: %q", resp.StatusCode, answer)
			}
		})
	}
	after := peak(t, h)
	t.Logf("peak resident size: %d MiB before, %d MiB after %d GiB of bodies", before>>20, after>>20, len(bodies))
	if after-before > 100<<20 {
		t.Errorf("the host grew by %d MiB", (after-before)>>20)
	}
	healthy(t, h)
}

func basic(p *person.Person, contentType string) func(*http.Request) {
	return func(r *http.Request) {
		r.SetBasicAuth(p.GitUser, p.GitPassword)
		r.Header.Set("Content-Type", contentType)
	}
}

var hwm = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the largest resident size that the process ever had, in bytes.
func peak(t *testing.T, h *hosttest.Process) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.PID()))
	if err != nil {
		t.Skipf("this system does not tell the size of a process: %v", err)
	}
	m := hwm.FindSubmatch(b)
	if m == nil {
		t.Skip("this system does not tell the peak size of a process")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
