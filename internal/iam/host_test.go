package iam_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
)

const account = "111122223333"

var testNow = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// decisions is a decision log in memory.
type decisions struct {
	mu      sync.Mutex // guards entries
	entries []authz.Entry
}

func (d *decisions) Append(_ context.Context, entries ...authz.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entries...)
	return nil
}

// host is the identity domain on a real database, behind a real authorizer.
type host struct {
	service    *iam.Service
	authorizer *authz.Authorizer
	table      *op.Table
	decisions  *decisions
	log        *bytes.Buffer
}

func newHost(t testing.TB) *host {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir(), Alone: true})
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
	h := &host{decisions: &decisions{}, log: &bytes.Buffer{}}
	h.service = newService(db.IAM(), keeper, h.log)
	h.authorizer = &authz.Authorizer{Source: h.service, Log: h.decisions, Now: h.service.Now}
	if err := h.service.EnsureAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.table, err = op.NewTable(h.service.Operations()); err != nil {
		t.Fatal(err)
	}
	return h
}

func newService(store iam.Store, keeper *secret.Keeper, log *bytes.Buffer) *iam.Service {
	return &iam.Service{
		Store: store, Keeper: keeper, Partition: "aws", Account: account,
		Now: func() time.Time { return testNow },
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// root is a caller whom no policy binds.
func (h *host) root() authz.Caller { return h.caller("", authz.Root) }

func (h *host) caller(name string, kind authz.PrincipalKind) authz.Caller {
	p := authz.Principal{Kind: kind, Account: account, Name: name, UserID: account}
	p.ARN.Partition, p.ARN.Service, p.ARN.Account, p.ARN.Resource = "aws", "iam", account, "root"
	return authz.Caller{Principal: p, RequestID: "r"}
}

// invoke runs the operation that has an input of this type.
func invoke(t testing.TB, h *host, c authz.Caller, in any) (any, error) {
	t.Helper()
	o, ok := h.table.Lookup("iam", operationOf(in))
	if !ok {
		t.Fatalf("no operation takes a %T", in)
	}
	return o.InvokeAny(t.Context(), h.authorizer, c, in)
}

func operationOf(in any) string {
	name := strings.TrimPrefix(strings.TrimSuffix(typeName(in), "Input"), "*iam.")
	return name
}

// run is invoke for what must succeed; Out is the output's type.
func run[Out any](t testing.TB, h *host, c authz.Caller, in any) *Out {
	t.Helper()
	out, err := invoke(t, h, c, in)
	if err != nil {
		t.Fatalf("%s: %v", operationOf(in), err)
	}
	typed, ok := out.(*Out)
	if !ok {
		t.Fatalf("%s answers a %T", operationOf(in), out)
	}
	return typed
}

// setUp runs operations as root.
func setUp(t testing.TB, h *host, inputs ...any) {
	t.Helper()
	for _, in := range inputs {
		if _, err := invoke(t, h, h.root(), in); err != nil {
			t.Fatalf("%s: %v", operationOf(in), err)
		}
	}
}

// user makes a user and returns it as a caller, by an access key of its own.
func user(t testing.TB, h *host, name string) authz.Caller {
	t.Helper()
	setUp(t, h, &api.CreateUserInput{UserName: &name})
	key := run[api.CreateAccessKeyOutput](t, h, h.root(), &api.CreateAccessKeyInput{UserName: &name})
	return h.by(t, *key.AccessKey.AccessKeyId)
}

// by is the caller whom an access key proves.
func (h *host) by(t testing.TB, keyID string) authz.Caller {
	t.Helper()
	k, err := h.service.SigningKey(t.Context(), keyID)
	if err != nil {
		t.Fatal(err)
	}
	return authz.Caller{Principal: k.Identity.Principal, Credential: k.Identity.Credential, RequestID: "r"}
}

// wantFault checks for a code and, unless it is empty, for the message.
func wantFault(t testing.TB, what string, err error, code, message string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.Code.Name != code || message != "" && f.Message != message {
		t.Errorf("%s: got %v\nwant %s: %s", what, err, code, message)
	}
}

func allow(actions string, resources string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":[` + actions + `],"Resource":[` + resources + `]}]}`
}

// asked returns the checks that were decided since the last call, as "action resource".
func (d *decisions) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, e := range d.entries {
		all = append(all, e.Action+" "+e.Resource)
	}
	d.entries = nil
	return slices.Compact(all)
}
