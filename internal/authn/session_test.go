package authn

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/refward/refward/internal/fault"
)

// What is wrong with temporary credentials, in a header and in a presigned query; the
// texts are those of the IAM and STS services (common errors).
func TestTemporaryCredentials(t *testing.T) {
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	for name, tc := range map[string]struct {
		who     aws.Credentials
		code    fault.Code // zero: they are accepted
		message string
	}{
		"good":                          {testTemporary, fault.Code{}, ""},
		"without the token":             {aws.Credentials{AccessKeyID: testSessionID, SecretAccessKey: testSecret}, fault.InvalidClientTokenID, invalid},
		"with another token":            {aws.Credentials{AccessKeyID: testSessionID, SecretAccessKey: testSecret, SessionToken: testToken + "x"}, fault.InvalidClientTokenID, invalid},
		"the token of another key":      {aws.Credentials{AccessKeyID: "ASIAOTHER", SecretAccessKey: testSecret, SessionToken: testToken}, fault.InvalidClientTokenID, invalid},
		"an access key with a token":    {aws.Credentials{AccessKeyID: testKeyID, SecretAccessKey: testSecret, SessionToken: testToken}, fault.InvalidClientTokenID, invalid},
		"expired":                       {aws.Credentials{AccessKeyID: testSessionID, SecretAccessKey: testSecret, SessionToken: "old"}, fault.ExpiredToken, expired},
		"expired, with a wrong secret":  {aws.Credentials{AccessKeyID: testSessionID, SecretAccessKey: "x", SessionToken: "old"}, fault.ExpiredToken, expired},
		"good, but with a wrong secret": {aws.Credentials{AccessKeyID: testSessionID, SecretAccessKey: "x", SessionToken: testToken}, fault.SignatureDoesNotMatch, ""},
	} {
		t.Run(name, func(t *testing.T) {
			signed := newRequest(t, "POST", "http://h/?a=1", "{}", nil)
			signAs(t, tc.who, signed, "{}", "codecommit", "eu-west-1", testNow)
			presigned := presignAs(t, tc.who, newRequest(t, "POST", "http://h/?a=1", "{}", nil), "{}", "codecommit", "eu-west-1", testNow)
			for way, r := range map[string]*http.Request{"header": signed, "presigned": presigned} {
				id, err := prove(t, verifier(), r, "codecommit")
				if tc.code == (fault.Code{}) {
					if err != nil || id.Credential.ID != tc.who.AccessKeyID {
						t.Errorf("%s: got %v, %v", way, id, err)
					}
					continue
				}
				f, ok := errors.AsType[*fault.Fault](err)
				if !ok || f.Code != tc.code || tc.message != "" && f.Message != tc.message || id != (Identity{}) {
					t.Errorf("%s: got %v, %v; want %s", way, id, err, tc.code.Name)
				}
			}
		})
	}
}

// A token that the signature does not cover is none, and two are one too many.
func TestTokenIsSigned(t *testing.T) {
	const token = "X-Amz-Security-Token"
	long := newRequest(t, "POST", "http://h/", "", nil)
	sign(t, long, "", "iam", "us-east-1", testNow)
	long.Header.Set(token, testToken)

	inQuery := newRequest(t, "POST", "http://h/", "", nil)
	sign(t, inQuery, "", "iam", "us-east-1", testNow)
	inQuery.URL.RawQuery = token + "=old"

	twice := newRequest(t, "POST", "http://h/", "", http.Header{token: {testToken}})
	signAs(t, testTemporary, twice, "", "iam", "us-east-1", testNow)
	twice.Header.Add(token, testToken)

	both := presignAs(t, testTemporary, newRequest(t, "POST", "http://h/", "", nil), "", "iam", "us-east-1", testNow)
	both.Header.Set(token, testToken)

	added := presign(t, newRequest(t, "POST", "http://h/", "", nil), "", "iam", "us-east-1", testNow)
	added.URL.RawQuery += "&" + token + "=old"

	removed := newRequest(t, "POST", "http://h/", "", nil)
	signAs(t, testTemporary, removed, "", "iam", "us-east-1", testNow)
	removed.Header.Del(token)

	for name, tc := range map[string]struct {
		r    *http.Request
		code fault.Code
	}{
		"a header beside a signature without it":   {long, fault.SignatureDoesNotMatch},
		"a query beside a signature in the header": {inQuery, fault.SignatureDoesNotMatch},
		"two headers":                                 {twice, fault.IncompleteSignature},
		"a header beside a presigned query":           {both, fault.IncompleteSignature},
		"a parameter added to a presigned query":      {added, fault.InvalidClientTokenID},
		"a signed header that was taken away":         {removed, fault.InvalidClientTokenID},
		"an empty header, which no signer ever sends": {emptyToken(t), fault.InvalidClientTokenID},
	} {
		if id, err := prove(t, verifier(), tc.r, "iam"); !fault.Has(err, tc.code) || id != (Identity{}) {
			t.Errorf("%s: got %v, %v; want %s", name, id, err, tc.code.Name)
		}
	}
}

// emptyToken is signed with a long-term key and an empty token.
func emptyToken(t *testing.T) *http.Request {
	r := newRequest(t, "POST", "http://h/", "", http.Header{"X-Amz-Security-Token": {""}})
	sign(t, r, "", "iam", "us-east-1", testNow)
	return r
}
