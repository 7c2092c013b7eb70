package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	smithy "github.com/aws/smithy-go"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/share"
)

func TestKnown(t *testing.T) {
	for service, want := range map[string]int{"codecommit": 79, "iam": 170, "sts": 11} {
		if got := Known(service); len(got) < want || !slices.IsSorted(got) {
			t.Errorf("%s: got %d operations, sorted %v, want at least %d, sorted", service, len(got), slices.IsSorted(got), want)
		}
	}
	if !slices.Contains(Known("codecommit"), "MergeBranchesBySquash") || slices.Contains(Known("codecommit"), "Options") {
		t.Error("codecommit: the names are not those of the operations")
	}
	if Known("s3") != nil {
		t.Error("s3 is known")
	}
}

// call sends a request to the handler behind the signature.
func call(h *Handler, service string, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.verified(service).ServeHTTP(w, r)
	return w
}

func jsonRequest(operation, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "CodeCommit_20150413."+operation)
	return r
}

func formRequest(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

func TestDispatch(t *testing.T) {
	h := newHandler(t, someOperations()...)
	with := func(r *http.Request, key, value string) *http.Request { r.Header.Set(key, value); return r }
	const getUser = "Action=GetUser&Version=2010-05-08"
	tests := []struct {
		name    string
		service string
		r       *http.Request
		status  int
		want    string // in the answer
	}{
		{"JSON", "codecommit", jsonRequest("GetBranch", `{"branchName":"dev"}`), 200, `{"branch":`},
		{"JSON 1.0", "codecommit", with(jsonRequest("GetBranch", `{"branchName":"dev"}`), "Content-Type", "application/x-amz-json-1.0"), 200, `{"branch":`},
		{"another target", "codecommit", with(jsonRequest("", `{}`), "X-Amz-Target", "DynamoDB_20120810.GetItem"), 400, "UnknownOperationException"},
		{"no target", "codecommit", with(jsonRequest("", `{}`), "X-Amz-Target", ""), 400, "UnknownOperationException"},
		{"an operation that is none", "codecommit", jsonRequest("GetBranches", `{}`), 400, "UnknownOperationException"},
		{"the case of an operation", "codecommit", jsonRequest("getBranch", `{}`), 400, "UnknownOperationException"},
		{"Git's own operation", "codecommit", jsonRequest("GitPush", `{}`), 400, "UnknownOperationException"},
		{"not here yet", "codecommit", jsonRequest("GetMergeOptions", `{}`), 501, "docs/divergences.md"},
		{"JSON as text", "codecommit", with(jsonRequest("GetBranch", `{}`), "Content-Type", "text/plain"), 400, "SerializationException"},
		{"compressed", "codecommit", with(jsonRequest("GetBranch", `{}`), "Content-Encoding", "gzip"), 400, "SerializationException"},
		{"not JSON", "codecommit", jsonRequest("GetBranch", `{`), 400, "SerializationException"},

		{"query", "iam", formRequest(getUser), 200, "<GetUserResult>"},
		{"query by GET", "iam", httptest.NewRequest(http.MethodGet, "/?"+getUser, nil), 200, "<GetUserResult>"},
		{"query with X-Amz parameters by GET", "iam", httptest.NewRequest(http.MethodGet, "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&"+getUser, nil), 200, "<GetUserResult>"},
		{"parameters in the URL of a POST", "iam", httptest.NewRequest(http.MethodPost, "/?"+getUser, nil), 400, "MalformedInput"},
		{"form as text", "iam", with(formRequest(getUser), "Content-Type", "text/plain"), 400, "MalformedInput"},
		{"no action", "iam", formRequest("Version=2010-05-08"), 400, "MissingAction"},
		{"no version", "iam", formRequest("Action=GetUser"), 400, "Could not find operation GetUser for version NO_VERSION_SPECIFIED"},
		{"another version", "iam", formRequest("Action=GetUser&Version=2009-01-01"), 400, "Could not find operation GetUser for version 2009-01-01"},
		{"an action that is none", "iam", formRequest("Action=GetUsers&Version=2010-05-08"), 400, "Could not find operation GetUsers for version 2010-05-08"},
		{"another service's action", "iam", formRequest("Action=GetCallerIdentity&Version=2010-05-08"), 400, "Could not find operation GetCallerIdentity"},
		{"signed for another service", "sts", formRequest(getUser), 403, "Credential should be scoped to correct service: 'iam'."},
		{"not here yet", "iam", formRequest("Action=CreateServiceLinkedRole&Version=2010-05-08"), 501, "docs/divergences.md"},
		{"not a form", "iam", formRequest(getUser + "&UserName=%"), 400, "MalformedInput"},
	}
	for _, tc := range tests {
		t.Run(tc.service+"/"+tc.name, func(t *testing.T) {
			w := call(h, tc.service, tc.r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("got %d %s\nwant %d and %q", w.Code, w.Body, tc.status, tc.want)
			}
			if id := w.Header().Get("X-Amzn-Requestid"); id != requestID {
				t.Errorf("got the request ID %q", id)
			}
		})
	}
}

// TestEcho: an answer repeats only the beginning of what a client sent.
func TestEcho(t *testing.T) {
	h := newHandler(t)
	long := strings.Repeat("é", 100_000)
	for service, r := range map[string]*http.Request{
		"codecommit": jsonRequest(long, "{}"),
		"iam":        formRequest("Action=" + long + "&Version=2010-05-08"),
		"sts":        formRequest("Action=GetCallerIdentity&Version=" + long),
	} {
		if w := call(h, service, r); w.Code != 400 || w.Body.Len() > 1000 || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%s: got %d with %d bytes", service, w.Code, w.Body.Len())
		}
	}
}

// TestLongEcho: a name of megabytes, which any caller may send, does not come back.
func TestLongEcho(t *testing.T) {
	long := strings.Repeat("é", 1<<19)
	echo := func(context.Context, authz.Caller, *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
		return nil, fault.ValidationError.New("The name %q is not valid", long)
	}
	echoForm := func(context.Context, authz.Caller, *iam.GetUserInput) (*iam.GetUserOutput, error) {
		return nil, fault.ValidationError.New("The name %q is not valid", long)
	}
	h := newHandler(t, does("codecommit", "GetBranch", echo), does("iam", "GetUser", echoForm))
	for name, w := range map[string]*httptest.ResponseRecorder{
		"awsJson1.1": call(h, "codecommit", jsonRequest("GetBranch", "{}")),
		"awsQuery":   call(h, "iam", formRequest("Action=GetUser&Version=2010-05-08")),
	} {
		if n := w.Body.Len(); n > 2*maxMessage || !strings.Contains(w.Body.String(), "The name") || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%s: an answer of %d bytes, %.60q", name, n, w.Body)
		}
	}
}

func TestMethods(t *testing.T) {
	h := newHandler(t)
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST" || w.Header().Get("X-Amzn-Requestid") != requestID {
			t.Errorf("%s: got %d, %v", method, w.Code, w.Header())
		}
	}
}

func TestStatus(t *testing.T) {
	code := func(k fault.Kind) fault.Code { return fault.Code{Name: "X", Kind: k} }
	tests := []struct {
		code        fault.Code
		json, query int
		jsonName    string
	}{
		{code(fault.Invalid), 400, 400, "X"},
		{code(fault.NotFound), 400, 404, "X"},
		{code(fault.Conflict), 400, 409, "X"},
		{code(fault.Limit), 400, 409, "X"},
		{code(fault.Internal), 500, 500, "X"},
		{code(0), 500, 500, "X"},
		{fault.AccessDenied, 400, 403, "AccessDeniedException"},
		{fault.MissingAuthenticationToken, 400, 403, "MissingAuthenticationTokenException"},
		{fault.IncompleteSignature, 400, 400, "IncompleteSignatureException"},
		{fault.SignatureDoesNotMatch, 400, 403, "InvalidSignatureException"},
		{fault.InvalidClientTokenID, 400, 403, "UnrecognizedClientException"},
		{fault.ExpiredToken, 400, 403, "ExpiredTokenException"},
		{fault.InvalidAction, 400, 400, "UnknownOperationException"},
		{fault.MalformedInput, 400, 400, "SerializationException"},
		{fault.ValidationError, 400, 400, "ValidationException"},
		{fault.RequestTooLarge, 413, 413, "RequestEntityTooLargeException"},
		{fault.Throttling, 400, 400, "ThrottlingException"},
		{fault.NotImplemented, 501, 501, "NotImplementedException"},
		{fault.ServiceUnavailable, 503, 503, "ServiceUnavailableException"},
		{fault.InternalFailure, 500, 500, "InternalFailure"},
		{errDeadline, 503, 503, "RequestTimeoutException"},
		{errMethod, 405, 405, "MethodNotAllowed"},
	}
	for _, tc := range tests {
		if j, q, n := awsJSON.status(tc.code), awsQuery.status(tc.code), jsonCode(tc.code); j != tc.json || q != tc.query || n != tc.jsonName {
			t.Errorf("%v: got %d, %d, %s, want %d, %d, %s", tc.code, j, q, n, tc.json, tc.query, tc.jsonName)
		}
	}
}

// TestFaultsInTheSDK: the SDK's client makes the exception of a fault that it has for
// its code.
func TestFaultsInTheSDK(t *testing.T) {
	h := newHandler(t, someOperations()...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := "iam"
		if protocolOf(r) == awsJSON {
			service = "codecommit"
		}
		h.verified(service).ServeHTTP(w, r)
	}))
	defer server.Close()
	_, err := clientOf("codecommit", server.URL).(*codecommit.Client).GetBranch(t.Context(), &codecommit.GetBranchInput{BranchName: aws.String("gone")})
	if e, ok := errors.AsType[*cctypes.BranchDoesNotExistException](err); !ok || e.ErrorMessage() != `refs/heads/gone does not exist` {
		t.Errorf("got %v, want BranchDoesNotExistException", err)
	}
	_, err = clientOf("iam", server.URL).(*iam.Client).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("gone <&>")})
	if e, ok := errors.AsType[*iamtypes.NoSuchEntityException](err); !ok || e.ErrorMessage() != `The user with name gone <&> cannot be found.` {
		t.Errorf("got %v, want NoSuchEntityException", err)
	}
	_, err = clientOf("codecommit", server.URL).(*codecommit.Client).GetMergeOptions(t.Context(), &codecommit.GetMergeOptionsInput{
		RepositoryName: aws.String("r"), SourceCommitSpecifier: aws.String("a"), DestinationCommitSpecifier: aws.String("b"),
	})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "NotImplementedException" {
		t.Errorf("got %v, want NotImplementedException", err)
	}
}

// TestErrorsAreHidden: of an error that is no fault the client learns the request ID,
// and the log everything, once.
func TestErrorsAreHidden(t *testing.T) {
	h := newHandler(t, does("codecommit", "GetBranch", func(context.Context, authz.Caller, *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
		return nil, fmt.Errorf("open /secret/path: %w", errors.New("disk on fire"))
	}))
	var log bytes.Buffer
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	w := call(h, "codecommit", jsonRequest("GetBranch", "{}"))
	if w.Code != 500 || w.Header().Get("X-Amzn-Errortype") != "InternalFailure" || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), requestID) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if s := log.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "disk on fire") || !strings.Contains(s, requestID) || !strings.Contains(s, "operation=GetBranch") {
		t.Errorf("the log is %q", s)
	}
}

// TestBusy: who gets no place is told so in the words that clients try again upon, and
// nothing is logged.
func TestBusy(t *testing.T) {
	h := newHandler(t, does("codecommit", "GetBranch", func(context.Context, authz.Caller, *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
		return nil, fmt.Errorf("git merge-base: %w", &share.Busy{What: "questions about history", Own: 2})
	}))
	var log bytes.Buffer
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	w := call(h, "codecommit", jsonRequest("GetBranch", "{}"))
	if w.Code != 400 || w.Header().Get("X-Amzn-Errortype") != "ThrottlingException" || !strings.Contains(w.Body.String(), "as one user may (2)") || log.Len() > 0 {
		t.Errorf("got %d %s, the log is %q", w.Code, w.Body, log.String())
	}
}

func TestTimeout(t *testing.T) {
	for _, err := range []error{context.DeadlineExceeded, errors.New("interrupted")} {
		synctest.Test(t, func(t *testing.T) {
			h := newHandler(t, does("iam", "GetUser", func(ctx context.Context, _ authz.Caller, _ *iam.GetUserInput) (*iam.GetUserOutput, error) {
				<-ctx.Done()
				return nil, err
			}))
			w := call(h, "iam", formRequest("Action=GetUser&Version=2010-05-08"))
			if w.Code != 503 || !strings.Contains(w.Body.String(), "<Type>Receiver</Type><Code>RequestTimeout</Code>") {
				t.Errorf("%v: got %d %s", err, w.Code, w.Body)
			}
		})
	}
}

// TestClientLeaves: nothing is logged for a client that does not wait.
func TestClientLeaves(t *testing.T) {
	h := newHandler(t, does("iam", "GetUser", func(ctx context.Context, _ authz.Caller, _ *iam.GetUserInput) (*iam.GetUserOutput, error) {
		return nil, fmt.Errorf("read user: %w", ctx.Err())
	}))
	var log bytes.Buffer
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := call(h, "iam", formRequest("Action=GetUser&Version=2010-05-08").WithContext(ctx))
	if w.Code != 503 || log.Len() > 0 {
		t.Errorf("got %d, the log is %q", w.Code, log.String())
	}
}

// someOperations returns a few operations with fixed answers.
func someOperations() []op.Any {
	branchGone := fault.Code{Name: "BranchDoesNotExistException", Kind: fault.NotFound}
	noSuchEntity := fault.Code{Name: "NoSuchEntity", Kind: fault.NotFound}
	return []op.Any{
		does("codecommit", "GetBranch", func(_ context.Context, _ authz.Caller, in *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
			if aws.ToString(in.BranchName) == "gone" {
				return nil, branchGone.New("refs/heads/%s does not exist", *in.BranchName)
			}
			return &codecommit.GetBranchOutput{Branch: &cctypes.BranchInfo{
				BranchName: in.BranchName, CommitId: aws.String("4c925148a3f2a4b7c4a2c5c3a0ad1bbdd5b0a5ab"),
			}}, nil
		}),
		does("codecommit", "CreateBranch", func(context.Context, authz.Caller, *codecommit.CreateBranchInput) (*codecommit.CreateBranchOutput, error) {
			return &codecommit.CreateBranchOutput{}, nil
		}),
		does("codecommit", "DeleteBranch", func(context.Context, authz.Caller, *codecommit.DeleteBranchInput) (*codecommit.DeleteBranchOutput, error) {
			return nil, fault.AccessDenied.New("User: arn:aws:iam::123456789012:user/dev is not authorized to perform: codecommit:DeleteBranch on resource: " +
				"arn:aws:codecommit:us-east-1:123456789012:r with an explicit deny in an identity-based policy")
		}),
		does("codecommit", "GitPush", func(context.Context, authz.Caller, *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
			return nil, errors.New("called by a door that is not its own")
		}),
		does("iam", "GetUser", func(_ context.Context, _ authz.Caller, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
			if name := aws.ToString(in.UserName); strings.HasPrefix(name, "gone") {
				return nil, noSuchEntity.New("The user with name %s cannot be found.", name)
			}
			return &iam.GetUserOutput{User: &iamtypes.User{
				Arn: aws.String("arn:aws:iam::123456789012:user/dev"), CreateDate: aws.Time(millis(1_484_167_798_000)),
				Path: aws.String("/"), UserId: aws.String("AIDACKCEVSQ6C2EXAMPLE"), UserName: aws.String("dev"),
				Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("R&D")}},
			}}, nil
		}),
		does("iam", "DeleteUser", func(context.Context, authz.Caller, *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
			return &iam.DeleteUserOutput{}, nil
		}),
	}
}
