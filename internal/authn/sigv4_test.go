package authn

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/fault"
)

var (
	testCredentials = aws.Credentials{AccessKeyID: testKeyID, SecretAccessKey: testSecret}
	testTemporary   = aws.Credentials{AccessKeyID: testSessionID, SecretAccessKey: testSecret, SessionToken: testToken}
)

// fataler is what *testing.T and *rapid.T share here.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// newRequest makes a request as a client would, unsigned.
func newRequest(t fataler, method, target, body string, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return r
}

// sign signs with the SDK's signer.
func sign(t fataler, r *http.Request, body, service, region string, at time.Time) {
	t.Helper()
	signAs(t, testCredentials, r, body, service, region, at)
}

func signAs(t fataler, who aws.Credentials, r *http.Request, body, service, region string, at time.Time) {
	t.Helper()
	if err := v4.NewSigner().SignHTTP(r.Context(), who, r, hexSum(body), service, region, at); err != nil {
		t.Fatal(err)
	}
}

// presign returns the request that a presigned URL becomes.
func presign(t fataler, r *http.Request, body, service, region string, at time.Time) *http.Request {
	t.Helper()
	return presignAs(t, testCredentials, r, body, service, region, at)
}

func presignAs(t fataler, who aws.Credentials, r *http.Request, body, service, region string, at time.Time) *http.Request {
	t.Helper()
	signed, header, err := v4.NewSigner().PresignHTTP(r.Context(), who, r, hexSum(body), service, region, at)
	if err != nil {
		t.Fatal(err)
	}
	host := header.Get("Host")
	header.Del("Host")
	got := newRequest(t, r.Method, signed, body, header)
	got.Host = host // without a default port
	return got
}

func hexSum(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// arrive sends the request over the wire and reads it as a server does.
func arrive(t fataler, r *http.Request) (*http.Request, [sha256.Size]byte) {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got, sha256.Sum256(body)
}

// prove runs both halves of the verifier.
func prove(t fataler, v *Verifier, r *http.Request, services ...string) (Identity, error) {
	t.Helper()
	got, sum := arrive(t, r)
	s, err := v.SigV4(got.Context(), got, services...)
	if err != nil {
		return Identity{}, err
	}
	return s.Verify(sum)
}

// drawRequest draws an odd but valid request.
func drawRequest(rt *rapid.T) (method, target, body string, header http.Header) {
	text := rapid.StringOf(rapid.SampledFrom([]rune("aZ09-._~ +%&=/?#:;,@!$'()*\"<>[]\\^`{|}äß€")))
	u := url.URL{Scheme: "http", Host: rapid.SampledFrom([]string{"127.0.0.1:8417", "host.example", "h:80", "[::1]:443"}).Draw(rt, "host")}
	u.Path = "/" + text.Draw(rt, "path")
	if rapid.Bool().Draw(rt, "odd path") {
		u.Path = rapid.SampledFrom([]string{"/", "", "//", "/a/../b", "/a/./b/", "/a//b", "/..", "/v1/repos/x"}).Draw(rt, "known path")
	}
	query := url.Values{}
	for range rapid.IntRange(0, 4).Draw(rt, "parameters") {
		query.Add(text.Draw(rt, "name"), text.Draw(rt, "value"))
	}
	u.RawQuery = query.Encode()
	header = http.Header{}
	for range rapid.IntRange(0, 3).Draw(rt, "headers") {
		value := rapid.StringOf(rapid.SampledFrom([]rune("ab  \t,;=:\""))).Draw(rt, "header")
		name := rapid.SampledFrom([]string{"X-Amz-Target", "X-Other", "Content-Type", "User-Agent", "X-Amz-Meta-A"}).Draw(rt, "header name")
		header.Add(name, value)
	}
	method = rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(rt, "method")
	if method != "GET" {
		body = rapid.String().Draw(rt, "body")
	}
	return method, u.String(), body, header
}

// What the SDK signs is accepted, whatever the request looks like.
func TestAcceptsTheSDKsSigner(t *testing.T) {
	v := verifier()
	rapid.Check(t, func(rt *rapid.T) {
		method, target, body, header := drawRequest(rt)
		r := newRequest(rt, method, target, body, header)
		at := testNow.Add(time.Duration(rapid.IntRange(-300, 300).Draw(rt, "clock")) * time.Second)
		who, want := testCredentials, identity("access-key", testKeyID)
		if rapid.Bool().Draw(rt, "temporary") {
			who, want = testTemporary, identity("session", testSessionID)
		}
		if rapid.Bool().Draw(rt, "presigned") {
			r = presignAs(rt, who, r, body, "codecommit", v.Region, at)
		} else {
			signAs(rt, who, r, body, "codecommit", v.Region, at)
		}
		id, err := prove(rt, v, r, "iam", "codecommit")
		if err != nil {
			rt.Fatalf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		if d := cmp.Diff(want, id); d != "" {
			rt.Errorf("identity (-want +got):\n%s", d)
		}
	})
}

// A request that was changed after it was signed is refused.
func TestRefusesWhatWasChanged(t *testing.T) {
	for name, change := range map[string]func(r *http.Request){
		"method":                func(r *http.Request) { r.Method = "PUT" },
		"path":                  func(r *http.Request) { r.URL.Path = "/x" },
		"query":                 func(r *http.Request) { r.URL.RawQuery += "&a=3" },
		"query order of values": func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "a=1", "a=2", 1) },
		"host":                  func(r *http.Request) { r.Host = "other" },
		"target":                func(r *http.Request) { r.Header.Set("X-Amz-Target", "CodeCommit_20150413.DeleteRepository") },
		"body": func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}!")), 3
		},
		"body of the same length": func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("[]")) },
		"signature": func(r *http.Request) {
			r.Header.Set("Authorization", r.Header.Get("Authorization")[:len(r.Header.Get("Authorization"))-1]+"_")
		},
		"no signature's digits": func(r *http.Request) {
			head, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", head+"Signature=0")
		},
		"one more value of a header": func(r *http.Request) { r.Header.Add("X-Amz-Target", "x") },
		"date":                       func(r *http.Request) { r.Header.Set("X-Amz-Date", "20240102T030406Z") },
		"what it says of the body": func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", hexSum("other"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"X-Amz-Target": {"CodeCommit_20150413.GetRepository"}, "Content-Type": {"application/x-amz-json-1.1"},
				"X-Amz-Content-Sha256": {hexSum("{}")}}
			r := newRequest(t, "POST", "http://h/p?a=1&b=2", "{}", header)
			sign(t, r, "{}", "codecommit", "eu-west-1", testNow)
			change(r)
			if _, err := prove(t, verifier(), r, "codecommit"); !fault.Has(err, fault.SignatureDoesNotMatch) {
				t.Errorf("got %v, want SignatureDoesNotMatch", err)
			}
		})
	}
}

// An X-Amz-Content-Sha256 that is signed and yet not the body's: S3's UNSIGNED-PAYLOAD
// would let anyone exchange the body.
func TestRefusesAnUnsignedBody(t *testing.T) {
	for _, declared := range []string{"UNSIGNED-PAYLOAD", hexSum("other")} {
		r := newRequest(t, "POST", "http://h/", "{}", http.Header{"X-Amz-Content-Sha256": {declared}})
		if err := v4.NewSigner().SignHTTP(t.Context(), testCredentials, r, declared, "iam", "us-east-1", testNow); err != nil {
			t.Fatal(err)
		}
		if _, err := prove(t, verifier(), r, "iam"); !fault.Has(err, fault.SignatureDoesNotMatch) {
			t.Errorf("%s: got %v, want SignatureDoesNotMatch", declared, err)
		}
	}
}

// The texts are those of the IAM and STS services (common errors).
func TestRefusals(t *testing.T) {
	const scope = "/20240102/eu-west-1/codecommit/aws4_request"
	authorization := func(credential, headers string) string {
		return "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + headers + ", Signature=" + strings.Repeat("0", 64)
	}
	for name, tc := range map[string]struct {
		authorization string
		date          string
		header        http.Header
		query         string
		code          fault.Code
		message       string
	}{
		"nothing":        {code: fault.MissingAuthenticationToken, message: "Request is missing Authentication Token"},
		"another scheme": {authorization: "Basic YTpi", code: fault.IncompleteSignature, message: `Unsupported AWS 'algorithm': "Basic".`},
		"no parts": {authorization: "AWS4-HMAC-SHA256 a=b", code: fault.IncompleteSignature,
			message: "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		"no date": {authorization: authorization(testKeyID+scope, "host"), code: fault.IncompleteSignature,
			message: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		"no equal sign": {authorization: "AWS4-HMAC-SHA256 Credential", code: fault.IncompleteSignature,
			message: "Authorization header has a part that is not a key=value pair (missing equal-sign)."},
		"a part twice": {authorization: "AWS4-HMAC-SHA256 Credential=a, Credential=b", code: fault.IncompleteSignature,
			message: `Authorization header has the parameter "Credential" twice.`},
		"a long header": {authorization: "AWS4-HMAC-SHA256 " + strings.Repeat("x", maxAuthorization), code: fault.IncompleteSignature,
			message: "The Authorization header is longer than 8192 bytes."},
		"a bad date": {authorization: authorization(testKeyID+scope, "host"), date: "2024-01-02", code: fault.IncompleteSignature,
			message: `Date must be in ISO-8601 'basic format'. Got "2024-01-02". See http://en.wikipedia.org/wiki/ISO_8601`},
		"too old": {authorization: authorization("nobody/x", "host"), date: "20240102T025904Z", code: fault.SignatureDoesNotMatch,
			message: "Signature expired: 20240102T025904Z is now earlier than 20240102T025905Z (20240102T030405Z - 5 min.)"},
		"too new": {authorization: authorization("nobody/x", "host"), date: "20240102T030906Z", code: fault.SignatureDoesNotMatch,
			message: "Signature not yet current: 20240102T030906Z is still later than 20240102T030905Z (20240102T030405Z + 5 min.)"},
		"scope's parts": {authorization: authorization("AKID/20240102/eu-west-1/iam", "host"), date: "20240102T030405Z", code: fault.SignatureDoesNotMatch,
			message: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKID/20240102/eu-west-1/iam'"},
		"scope's values": {authorization: authorization("AKID/20240103/us-east-1/s3/aws3", "host"), date: "20240102T030405Z", code: fault.SignatureDoesNotMatch,
			message: "Credential should be scoped to a valid region, not 'us-east-1'. Credential should be scoped to correct service: 'codecommit'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20240103' != '20240102', from '20240102T030405Z'."},
		"unsigned host": {authorization: authorization("nobody"+scope, "x-amz-date"), date: "20240102T030405Z", code: fault.SignatureDoesNotMatch,
			message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		"unsigned target": {authorization: authorization(testKeyID+scope, "host;x-amz-date"), date: "20240102T030405Z",
			header: http.Header{"X-Amz-Target": {"t"}}, code: fault.SignatureDoesNotMatch,
			message: "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		"many headers": {authorization: authorization(testKeyID+scope, strings.Repeat("a;", maxSignedHeaders)+"host"), date: "20240102T030405Z",
			code: fault.IncompleteSignature, message: "More than 128 signed headers."},
		"unknown key": {authorization: authorization("nobody"+scope, "host;x-amz-date"), date: "20240102T030405Z", code: fault.InvalidClientTokenID,
			message: "The security token included in the request is invalid."},
		"a key ID that none can have": {authorization: authorization("no body"+scope, "host;x-amz-date"), date: "20240102T030405Z",
			code: fault.InvalidClientTokenID, message: "The security token included in the request is invalid."},
		"a session token": {authorization: authorization(testKeyID+scope, "host;x-amz-date;x-amz-security-token"), date: "20240102T030405Z",
			header: http.Header{"X-Amz-Security-Token": {"t"}}, code: fault.InvalidClientTokenID,
			message: "The security token included in the request is invalid."},
		"a bad query": {query: "a=%zz", code: fault.IncompleteSignature, message: "The query string is not percent-encoded."},
		"a long query": {query: "a=" + strings.Repeat("x", maxQuery), code: fault.IncompleteSignature,
			message: "The query string is longer than 524288 bytes."},
		"header and query": {authorization: authorization(testKeyID+scope, "host"), query: "X-Amz-Signature=0", code: fault.IncompleteSignature,
			message: "The request carries more than one signature."},
		"half a query": {query: "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1&X-Amz-Date=2", code: fault.IncompleteSignature,
			message: "AWS query-string parameters must include 'X-Amz-Credential' exactly once. AWS query-string parameters must include 'X-Amz-Date' exactly once. " +
				"AWS query-string parameters must include 'X-Amz-Signature' exactly once. AWS query-string parameters must include 'X-Amz-SignedHeaders' exactly once. " +
				"Re-examine the query-string parameters."},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, "POST", "http://h/?"+tc.query, "", tc.header)
			if tc.authorization != "" {
				r.Header.Set("Authorization", tc.authorization)
			}
			if tc.date != "" {
				r.Header.Set("X-Amz-Date", tc.date)
			}
			_, err := verifier().SigV4(t.Context(), r, "codecommit")
			f, ok := errors.AsType[*fault.Fault](err)
			if !ok || f.Code != tc.code || f.Message != tc.message {
				t.Errorf("got  %v\nwant %s: %s", err, tc.code.Name, tc.message)
			}
		})
	}
}

func TestRegions(t *testing.T) {
	for _, tc := range []struct {
		service, region string
		want            bool
	}{
		{"codecommit", "eu-west-1", true},
		{"codecommit", "us-east-1", false},
		{"iam", "us-east-1", true},
		{"iam", "eu-west-1", true},
		{"sts", "us-east-1", true},
		{"sts", "eu-west-1", true},
		{"sts", "eu-west-2", false},
		{"s3", "eu-west-1", false},
	} {
		r := newRequest(t, "POST", "http://h/", "", nil)
		sign(t, r, "", tc.service, tc.region, testNow)
		_, err := prove(t, verifier(), r, "iam", "sts", "codecommit")
		if got := err == nil; got != tc.want || err != nil && !fault.Has(err, fault.SignatureDoesNotMatch) {
			t.Errorf("%s in %s: %v", tc.service, tc.region, err)
		}
	}
}

func TestPresignedLifetime(t *testing.T) {
	for _, tc := range []struct {
		expires string
		age     time.Duration
		code    fault.Code
	}{
		{"", 5 * time.Minute, fault.Code{}},
		{"", 5*time.Minute + time.Second, fault.SignatureDoesNotMatch},
		{"60", time.Minute, fault.Code{}},
		{"60", time.Minute + time.Second, fault.SignatureDoesNotMatch},
		{"604800", 7 * 24 * time.Hour, fault.Code{}},
		{"604800", -6 * time.Minute, fault.SignatureDoesNotMatch},
		{"604801", 0, fault.IncompleteSignature},
		{"0", 0, fault.IncompleteSignature},
		{"-1", 0, fault.IncompleteSignature},
		{"x", 0, fault.IncompleteSignature},
	} {
		target := "http://h/?Action=GetCallerIdentity&Version=2011-06-15"
		if tc.expires != "" {
			target += "&X-Amz-Expires=" + tc.expires
		}
		r := presign(t, newRequest(t, "GET", target, "", nil), "", "sts", "us-east-1", testNow.Add(-tc.age))
		_, err := prove(t, verifier(), r, "sts")
		if tc.code == (fault.Code{}) && err != nil || tc.code != (fault.Code{}) && !fault.Has(err, tc.code) {
			t.Errorf("expires %q at the age of %v: %v, want %q", tc.expires, tc.age, err, tc.code.Name)
		}
	}
}

// The Date header serves where there is no X-Amz-Date (older signers).
func TestDateHeader(t *testing.T) {
	r := newRequest(t, "POST", "http://h/", "", http.Header{"Date": {testNow.Format(http.TimeFormat)}})
	k := deriveKey(testSecret, scope{date: "20240102", region: "us-east-1", service: "iam", term: terminator})
	canonical := "POST\n/\n\ndate:" + testNow.Format(http.TimeFormat) + "\nhost:h\n\ndate;host\n" + hexSum("")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKeyID+"/"+k.scope+",SignedHeaders=date;host,Signature="+k.sign("20240102T030405Z", canonical))
	if _, err := prove(t, verifier(), r, "iam"); err != nil {
		t.Error(err)
	}
}

// botocore normalises the path before it signs, the Go SDK does not.
func TestNormalisedPath(t *testing.T) {
	for received, signed := range map[string]string{"/a/../b": "/b", "//": "/", "/a/./b/": "/a/b/", "/a//b": "/a/b", "/a/..": "/"} {
		r := newRequest(t, "GET", "http://h"+received, "", http.Header{"X-Amz-Date": {"20240102T030405Z"}})
		k := deriveKey(testSecret, scope{date: "20240102", region: "us-east-1", service: "iam", term: terminator})
		canonical := "GET\n" + signed + "\n\nhost:h\nx-amz-date:20240102T030405Z\n\nhost;x-amz-date\n" + hexSum("")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKeyID+"/"+k.scope+", SignedHeaders=host;x-amz-date, Signature="+k.sign("20240102T030405Z", canonical))
		if _, err := prove(t, verifier(), r, "iam"); err != nil {
			t.Errorf("%s: %v", received, err)
		}
	}
}

func TestAFailingSourceIsNotARefusal(t *testing.T) {
	boom := errors.New("boom")
	v := verifier()
	v.Source = memory{err: boom}
	r := newRequest(t, "POST", "http://h/", "", nil)
	sign(t, r, "", "iam", "us-east-1", testNow)
	if _, err := prove(t, v, r, "iam"); !errors.Is(err, boom) {
		t.Errorf("got %v, want the source's error", err)
	}
	if _, err := v.Git(t.Context(), "u", "p", "h", "/v1/repos/r"); !errors.Is(err, boom) {
		t.Errorf("got %v, want the source's error", err)
	}
}

func FuzzAuthorization(f *testing.F) {
	r := newRequest(f, "POST", "http://h/", "", nil)
	sign(f, r, "", "iam", "us-east-1", testNow)
	signed := r.Header.Get("Authorization")
	f.Add(signed, "20240102T030405Z", "")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=;host;,Signature=", "Tue, 02 Jan 2024 03:04:05 GMT", "X-Amz-Date=1")
	f.Add("AWS4-HMAC-SHA256 =,,==", "", "a=%00&X-Amz-Expires=9999999999999999999")
	v := verifier()
	f.Fuzz(func(t *testing.T, authorization, date, query string) {
		r := &http.Request{Method: "POST", Host: "h", URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{}}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		r.Header.Set("X-Amz-Date", date)
		s, err := v.SigV4(t.Context(), r, "iam")
		if err == nil {
			_, err = s.Verify(sha256.Sum256(nil))
		}
		if _, refused := errors.AsType[*fault.Fault](err); err != nil && !refused {
			t.Errorf("not a fault: %v", err)
		}
		// Only the seed is signed; it may come with white space that means nothing.
		if err == nil && !strings.Contains(authorization, signed[len(signed)-64:]) {
			t.Errorf("accepted %q at %q with %q", authorization, date, query)
		}
	})
}

func BenchmarkSigV4(b *testing.B) {
	body := strings.Repeat("x", 200)
	r := newRequest(b, "POST", "http://127.0.0.1:8417/", body, http.Header{
		"X-Amz-Target": {"CodeCommit_20150413.GetRepository"}, "Content-Type": {"application/x-amz-json-1.1"},
		"User-Agent": {"aws-cli/2.0"}, "Amz-Sdk-Invocation-Id": {strconv.Itoa(1)},
	})
	sign(b, r, body, "codecommit", "eu-west-1", testNow)
	r, sum := arrive(b, r)
	v := verifier()
	b.ReportAllocs()
	for b.Loop() {
		s, err := v.SigV4(b.Context(), r, "codecommit")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Verify(sum); err != nil {
			b.Fatal(err)
		}
	}
}
