package sts_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
	"github.com/refward/refward/internal/sts"
)

const account = "111122223333"

var testNow = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// host is the domain on a real identity domain, with root's access key.
type host struct {
	identities *iam.Service
	table      *op.Table
	authorizer *authz.Authorizer
	log        *decisions
	root       authz.Caller
}

func newHost(t *testing.T) *host {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	keeper, err := secret.NewKeeper(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &host{log: &decisions{}}
	now := func() time.Time { return testNow }
	h.identities = &iam.Service{Store: db.IAM(), Keeper: keeper, Partition: "aws", Account: account, Now: now, Log: slog.New(slog.DiscardHandler)}
	h.authorizer = &authz.Authorizer{Source: h.identities, Log: h.log, Now: now}
	if h.table, err = op.NewTable((&sts.Service{Identities: h.identities}).Operations()); err != nil {
		t.Fatal(err)
	}
	if err := h.identities.EnsureAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := h.identities.EnsureRoot(t.Context(), "", secret.Text{})
	if err != nil {
		t.Fatal(err)
	}
	h.root = h.by(t, key.ID)
	return h
}

// by is the caller whom an access key proves.
func (h *host) by(t *testing.T, keyID string) authz.Caller {
	t.Helper()
	k, err := h.identities.SigningKey(t.Context(), keyID)
	if err != nil {
		t.Fatal(err)
	}
	return authz.Caller{Principal: k.Identity.Principal, Credential: k.Identity.Credential}
}

// alice is a user without any policy.
func (h *host) alice(t *testing.T) authz.Caller {
	t.Helper()
	err := h.identities.Store.Update(t.Context(), account, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, iam.User{Account: account, ID: "AIDAALICE", Name: "alice", Path: "/"}),
			tx.InsertAccessKey(ctx, iam.AccessKey{Account: account, ID: "AKIAALICE", UserID: "AIDAALICE", Active: true,
				Sealed: h.identities.Keeper.Seal(secret.NewText("s"), account+"/AKIAALICE")}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return h.by(t, "AKIAALICE")
}

func (h *host) get(t *testing.T, c authz.Caller, in *api.GetSessionTokenInput) (*api.GetSessionTokenOutput, error) {
	t.Helper()
	o, ok := h.table.Lookup("sts", "GetSessionToken")
	if !ok {
		t.Fatal("no such operation")
	}
	out, err := o.InvokeAny(t.Context(), h.authorizer, c, in)
	if err != nil {
		return nil, err
	}
	return out.(*api.GetSessionTokenOutput), nil
}

// The bounds and the default are those of the STS API reference; who has no policy at
// all may call it.
func TestGetSessionToken(t *testing.T) {
	h := newHost(t)
	alice := h.alice(t)
	const least = "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"
	const most = "1 validation error detected: Value '129601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600"
	for name, tc := range map[string]struct {
		who     authz.Caller
		seconds int32 // 0: not said
		want    time.Duration
		message string
	}{
		"a user":                        {alice, 0, 12 * time.Hour, ""},
		"a user, the least":             {alice, 900, 15 * time.Minute, ""},
		"a user, the most":              {alice, 129600, 36 * time.Hour, ""},
		"a user, less":                  {alice, 899, 0, least},
		"a user, more":                  {alice, 129601, 0, most},
		"a user, in the past":           {alice, -1, 0, strings.Replace(least, "899", "-1", 1)},
		"root":                          {h.root, 0, time.Hour, ""},
		"root, the least":               {h.root, 900, 15 * time.Minute, ""},
		"root, more than root can have": {h.root, 3601, time.Hour, ""},
		"root, the most":                {h.root, 129600, time.Hour, ""},
		"root, more":                    {h.root, 129601, 0, most},
	} {
		t.Run(name, func(t *testing.T) {
			in := &api.GetSessionTokenInput{}
			if tc.seconds != 0 {
				in.DurationSeconds = &tc.seconds
			}
			out, err := h.get(t, tc.who, in)
			if tc.message != "" {
				if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Code != fault.ValidationError || f.Message != tc.message {
					t.Errorf("got  %v\nwant %s", err, tc.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c := out.Credentials
			if got := c.Expiration.Sub(testNow); got != tc.want {
				t.Errorf("it is good for %v, want %v", got, tc.want)
			}
			k, err := h.identities.SessionKey(t.Context(), *c.AccessKeyId, *c.SessionToken)
			if err != nil || k.Secret != *c.SecretAccessKey || k.Identity.Principal.UserID != tc.who.Principal.UserID || !k.Identity.Principal.Session.Issued.Equal(testNow) {
				t.Errorf("it proves %+v, %v", k.Identity, err)
			}
		})
	}
}

// The texts are those that AWS answers with. A device cannot be right where there are
// none, and one that was ignored would be worse.
func TestGetSessionTokenRefuses(t *testing.T) {
	h := newHost(t)
	session := h.root
	session.Principal.Session = authz.Session{Issued: testNow}
	serial, code := aws.String("arn:aws:iam::111122223333:mfa/root"), aws.String("123456")
	for name, tc := range map[string]struct {
		who     authz.Caller
		in      api.GetSessionTokenInput
		code    fault.Code
		message string
	}{
		"a session": {session, api.GetSessionTokenInput{}, fault.AccessDenied, "Cannot call GetSessionToken with session credentials"},
		"MFA": {h.root, api.GetSessionTokenInput{SerialNumber: serial, TokenCode: code}, fault.AccessDenied,
			"MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."},
		"half of MFA": {h.root, api.GetSessionTokenInput{TokenCode: code}, fault.AccessDenied,
			"MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."},
		"the other half":  {h.root, api.GetSessionTokenInput{SerialNumber: serial}, fault.AccessDenied, "must provide both"},
		"an empty device": {h.root, api.GetSessionTokenInput{SerialNumber: aws.String(""), TokenCode: aws.String("")}, fault.AccessDenied, "unable to validate"},
		"nobody":          {authz.Caller{}, api.GetSessionTokenInput{}, fault.MissingAuthenticationToken, ""},
	} {
		out, err := h.get(t, tc.who, &tc.in)
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || out != nil || f.Code != tc.code || !strings.Contains(f.Message, tc.message) {
			t.Errorf("%s: got %v, %v\nwant %s: %s", name, out, err, tc.code.Name, tc.message)
		}
	}
}
