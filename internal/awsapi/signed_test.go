package awsapi

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
)

const (
	keyID       = "AKIAIOSFODNN7EXAMPLE" // that clientOf signs with, its secret is "secret"
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// keys is an authn.Source of one access key, the root user's.
type keys struct{ secret string }

func (k keys) SigningKey(_ context.Context, id string) (authn.SigningKey, error) {
	if id != keyID {
		return authn.SigningKey{}, authn.ErrUnknown
	}
	root, err := arn.Parse("arn:aws:iam::123456789012:root")
	return authn.SigningKey{
		Identity: authn.Identity{
			Principal:  authz.Principal{Kind: authz.Root, Account: "123456789012", ARN: root, UserID: "123456789012"},
			Credential: authz.Credential{Kind: "access-key", ID: id},
		},
		Secret: k.secret,
	}, err
}

func (keys) SessionKey(_ context.Context, _, token string) (authn.SigningKey, error) {
	if token == "expired" {
		return authn.SigningKey{}, authn.ErrExpired
	}
	return authn.SigningKey{}, authn.ErrUnknown
}

func (keys) GitPassword(context.Context, string, string) (authn.Identity, error) {
	return authn.Identity{}, authn.ErrUnknown
}

func (keys) SSHKey(context.Context, string) (authn.SSHKey, error) {
	return authn.SSHKey{}, authn.ErrUnknown
}

// decisions keeps the decision log.
type decisions struct {
	mu      sync.Mutex
	entries []authz.Entry
}

func (d *decisions) Append(_ context.Context, entries ...authz.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entries...)
	return nil
}

// newHost serves the handler with signatures, decisions and operations as a host does.
func newHost(t *testing.T, secret string) (*httptest.Server, *decisions) {
	log := &decisions{}
	whoAmI := &op.Operation[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput]{
		Spec: op.Spec{Service: "sts", Name: "GetCallerIdentity", Always: "everybody may know who they are"},
		Checks: func(context.Context, authz.Caller, *sts.GetCallerIdentityInput) ([]authz.Check, error) {
			return []authz.Check{{Action: "sts:GetCallerIdentity"}}, nil
		},
		Run: func(_ context.Context, g authz.Grant, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
			p := g.Caller().Principal
			return &sts.GetCallerIdentityOutput{Account: &p.Account, Arn: aws.String(p.ARN.String()), UserId: &p.UserID}, nil
		},
	}
	h := newHandler(t, append(someOperations(), whoAmI)...)
	h.Verifier = &authn.Verifier{Source: keys{secret}, Region: "us-east-1", Now: time.Now}
	h.Authorizer = &authz.Authorizer{Log: log, Now: time.Now}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server, log
}

// TestSignedCalls: the SDK's clients, signing, against the whole door.
func TestSignedCalls(t *testing.T) {
	host, log := newHost(t, "secret")
	who, err := clientOf("sts", host.URL).(*sts.Client).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != "arn:aws:iam::123456789012:root" {
		t.Errorf("GetCallerIdentity: got %+v, %v", who, err)
	}
	if len(log.entries) != 1 || log.entries[0].RequestID != requestID || log.entries[0].Credential.ID != keyID {
		t.Errorf("the decision log is %+v", log.entries)
	}
	branch, err := clientOf("codecommit", host.URL).(*codecommit.Client).GetBranch(t.Context(), &codecommit.GetBranchInput{BranchName: aws.String("dev é")})
	if err != nil || *branch.Branch.BranchName != "dev é" {
		t.Errorf("GetBranch: got %+v, %v", branch, err)
	}
	user, err := clientOf("iam", host.URL).(*iam.Client).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("a+b c/é")})
	if err != nil || *user.User.UserName != "dev" {
		t.Errorf("GetUser: got %+v, %v", user, err)
	}
}

func TestUnprovenCallers(t *testing.T) {
	host, _ := newHost(t, "another secret")
	_, err := clientOf("codecommit", host.URL).(*codecommit.Client).GetBranch(t.Context(), &codecommit.GetBranchInput{})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "InvalidSignatureException" {
		t.Errorf("CodeCommit, wrong secret: got %v", err)
	}
	_, err = clientOf("iam", host.URL).(*iam.Client).GetUser(t.Context(), nil)
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != fault.SignatureDoesNotMatch.Name {
		t.Errorf("IAM, wrong secret: got %v", err)
	}
	for _, tc := range []struct {
		r      *http.Request
		status int
		want   string
	}{
		{jsonRequest("GetBranch", `{}`), 400, `"__type":"MissingAuthenticationTokenException"`},
		{formRequest("Action=GetUser&Version=2010-05-08"), 403, "<Code>MissingAuthenticationToken</Code>"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host.URL, tc.r.Body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = tc.r.Header
		if status, body := answerTo(t, r); status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("no signature: got %d %s, want %d and %s", status, body, tc.status, tc.want)
		}
	}
}

// Each protocol has its own name for credentials whose time is over, and for a token that
// the host did not make.
func TestSessionTokens(t *testing.T) {
	host, log := newHost(t, "secret")
	for token, want := range map[string][2]string{
		"expired": {"ExpiredTokenException", "ExpiredToken"},
		"forged":  {"UnrecognizedClientException", "InvalidClientTokenId"},
	} {
		creds := credentials.NewStaticCredentialsProvider("ASIAIOSFODNN7EXAMPLE", "secret", token)
		_, json := clientOf("codecommit", host.URL).(*codecommit.Client).GetBranch(t.Context(), &codecommit.GetBranchInput{},
			func(o *codecommit.Options) { o.Credentials = creds })
		_, query := clientOf("sts", host.URL).(*sts.Client).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) { o.Credentials = creds })
		for i, err := range []error{json, query} {
			if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != want[i] {
				t.Errorf("%s: got %v, want %s", token, err, want[i])
			}
		}
	}
	if len(log.entries) > 0 {
		t.Errorf("the decision log is %+v", log.entries)
	}
}

// sign returns a POST signed with a key for a service. hash is that of the body which
// the signature covers.
func sign(t *testing.T, url, service, id, hash string, body io.Reader, header http.Header) *http.Request {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	creds := aws.Credentials{AccessKeyID: id, SecretAccessKey: "secret"}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hash, service, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func answerTo(t *testing.T, r *http.Request) (int, string) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if id := answer.Header.Get("X-Amzn-Requestid"); id != requestID {
		t.Errorf("got the request ID %q", id)
	}
	return answer.StatusCode, string(body)
}

// TestAttacks: what a signature does not cover is not done.
func TestAttacks(t *testing.T) {
	host, log := newHost(t, "secret")
	toJSON := jsonRequest("GetBranch", "").Header
	form := formRequest("").Header
	const whoAmI = "Action=GetCallerIdentity&Version=2011-06-15"
	t.Run("another body than was signed", func(t *testing.T) {
		r := sign(t, host.URL, "codecommit", keyID, emptySHA256, strings.NewReader(`{"branchName":"dev"}`), toJSON)
		if status, body := answerTo(t, r); status != 400 || !strings.Contains(body, "InvalidSignatureException") {
			t.Errorf("got %d %s", status, body)
		}
	})
	t.Run("signed for another service", func(t *testing.T) {
		r := sign(t, host.URL, "iam", keyID, emptySHA256, nil, toJSON)
		if status, body := answerTo(t, r); status != 400 || !strings.Contains(body, "InvalidSignatureException") {
			t.Errorf("got %d %s", status, body)
		}
	})
	t.Run("an action of another service", func(t *testing.T) {
		sum := sha256.Sum256([]byte(whoAmI))
		r := sign(t, host.URL, "iam", keyID, hex.EncodeToString(sum[:]), strings.NewReader(whoAmI), form)
		if status, body := answerTo(t, r); status != 403 || !strings.Contains(body, "Credential should be scoped to correct service: 'sts'.") {
			t.Errorf("got %d %s", status, body)
		}
	})
	t.Run("another target than was signed", func(t *testing.T) {
		r := sign(t, host.URL, "codecommit", keyID, emptySHA256, nil, toJSON)
		r.Header.Set("X-Amz-Target", "CodeCommit_20150413.DeleteBranch")
		if status, body := answerTo(t, r); status != 400 || !strings.Contains(body, "InvalidSignatureException") {
			t.Errorf("got %d %s", status, body)
		}
	})
	if len(log.entries) > 0 {
		t.Errorf("the decision log is %+v", log.entries)
	}
}

// TestUnknownKeySendsNothing: the body of a caller with an unknown key is not read.
func TestUnknownKeySendsNothing(t *testing.T) {
	h := newHandler(t)
	h.Verifier = &authn.Verifier{Source: keys{"secret"}, Region: "us-east-1", Now: time.Now}
	from := &counted{r: endless{}}
	signed := sign(t, "http://127.0.0.1/", "codecommit", "AKIAUNKNOWN000000000", emptySHA256, nil, jsonRequest("PutFile", "").Header)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", from)
	r.Header = signed.Header
	r.ContentLength = 1 << 30
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "UnrecognizedClientException") || from.n > 0 {
		t.Errorf("got %d %s after %d bytes", w.Code, w.Body, from.n)
	}
}

// TestSlightlyTooLarge: a client whose body is larger than accepted, but not absurdly,
// gets to read why.
func TestSlightlyTooLarge(t *testing.T) {
	host, _ := newHost(t, "secret")
	for _, chunked := range []bool{false, true} {
		body := io.LimitReader(endless{}, maxJSONBody+1<<20)
		r := sign(t, host.URL, "codecommit", keyID, emptySHA256, body, jsonRequest("PutFile", "").Header)
		if !chunked {
			r.ContentLength = maxJSONBody + 1<<20
		}
		if status, text := answerTo(t, r); status != 413 || !strings.Contains(text, "RequestEntityTooLargeException") {
			t.Errorf("chunked %v: got %d %s", chunked, status, text)
		}
	}
}

// TestGigabyte: a body of a gigabyte, with a key that is known, is answered and costs
// no memory.
func TestGigabyte(t *testing.T) {
	host, _ := newHost(t, "secret")
	addr := host.Listener.Addr().String()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := sign(t, host.URL, "codecommit", keyID, emptySHA256, nil, jsonRequest("PutFile", "").Header)
	r.ContentLength = 1 << 30
	head := "POST / HTTP/1.1\r\nHost: " + addr + "\r\nContent-Length: 1073741824\r\n"
	for name := range r.Header {
		head += name + ": " + r.Header.Get(name) + "\r\n"
	}
	_, _ = io.WriteString(conn, head+"\r\n")
	go func() { // ends when the server closes the connection, or the test does
		_, _ = io.Copy(conn, endless{})
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	runtime.ReadMemStats(&after)
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s", answer.Status)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}
