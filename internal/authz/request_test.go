package authz

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

const account = "111122223333"

var (
	payments = arn.ARN{Partition: "aws", Service: "codecommit", Region: "us-east-1", Account: account, Resource: "payments"}
	one      = time.Date(2026, 1, 15, 13, 0, 0, 999, time.FixedZone("", 2*3600)) // 11:00 UTC
)

func principal(k PrincipalKind) Principal {
	switch k {
	case Root:
		return Principal{Kind: Root, Account: account, ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}, UserID: account}
	case User:
		return Principal{Kind: User, Account: account, UserID: "AIDAADA", Name: "ada",
			ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/dev/ada"}}
	case AssumedRole:
		return Principal{Kind: AssumedRole, Account: account, UserID: "AROAROLE:ada", Name: "ada", // a name it must not be seen by
			ARN: arn.ARN{Partition: "aws", Service: "sts", Account: account, Resource: "assumed-role/Deploy/ada"}}
	default:
		return Principal{}
	}
}

func contextOf(r *policy.Request) map[string][]string {
	m := map[string][]string{}
	for k, v := range r.Context.All() {
		m[k] = slices.Clone(v)
	}
	return m
}

// TestRequestContext holds which global keys a request carries (IAM User Guide, "AWS
// global condition context keys"): these and no others.
func TestRequestContext(t *testing.T) {
	always := map[string][]string{
		"aws:SecureTransport": {"false"}, "aws:CurrentTime": {"2026-01-15T11:00:00Z"}, "aws:EpochTime": {"1768474800"},
		"aws:ViaAWSService": {"false"}, "aws:PrincipalIsAWSService": {"false"},
	}
	full := Caller{SourceIP: netip.MustParseAddr("203.0.113.7"), UserAgent: "git/2.39.5", Secure: true, Region: "us-east-1", RequestID: "r"}
	connection := map[string][]string{
		"aws:SourceIp": {"203.0.113.7"}, "aws:UserAgent": {"git/2.39.5"}, "aws:SecureTransport": {"true"}, "aws:RequestedRegion": {"us-east-1"},
	}
	repository := Check{Action: "codecommit:GitPush", Resource: payments, Values: []Value{{"codecommit:References", []string{"refs/heads/main"}}}}
	carried := map[string][]string{"codecommit:References": {"refs/heads/main"}, "aws:ResourceAccount": {account}}

	for _, tc := range []struct {
		name  string
		kind  PrincipalKind
		on    Caller
		tags  map[string]string
		check Check
		want  []map[string][]string
	}{
		{"a user", User, full, map[string]string{"team": "pay", "empty": ""}, repository, []map[string][]string{connection, carried, {
			"aws:PrincipalArn": {"arn:aws:iam::111122223333:user/dev/ada"}, "aws:PrincipalAccount": {account}, "aws:PrincipalType": {"User"},
			"aws:userid": {"AIDAADA"}, "aws:username": {"ada"}, "aws:PrincipalTag/team": {"pay"}, "aws:PrincipalTag/empty": {""},
		}}},
		{"root", Root, full, nil, repository, []map[string][]string{connection, carried, {
			"aws:PrincipalArn": {"arn:aws:iam::111122223333:root"}, "aws:PrincipalAccount": {account}, "aws:PrincipalType": {"Account"},
			"aws:userid": {account},
		}}},
		{"a role session", AssumedRole, full, nil, repository, []map[string][]string{connection, carried, {
			"aws:PrincipalArn": {"arn:aws:sts::111122223333:assumed-role/Deploy/ada"}, "aws:PrincipalAccount": {account}, "aws:PrincipalType": {"AssumedRole"},
			"aws:userid": {"AROAROLE:ada"},
		}}},
		{"nobody", Nobody, full, nil, repository, []map[string][]string{connection, carried, {"aws:PrincipalType": {"Anonymous"}}}},
		{"of whose connection nothing is known, without a resource", Nobody, Caller{}, nil, Check{Action: "iam:ListUsers"},
			[]map[string][]string{{"aws:PrincipalType": {"Anonymous"}}}},
		{"a key without values", Nobody, Caller{}, nil, Check{Action: "iam:TagUser", Values: []Value{{Key: "aws:TagKeys"}}},
			[]map[string][]string{{"aws:PrincipalType": {"Anonymous"}}}},
		{"a key with several values", Nobody, Caller{}, nil, Check{Action: "iam:TagUser", Values: []Value{{"aws:TagKeys", []string{"a", "b"}}}},
			[]map[string][]string{{"aws:PrincipalType": {"Anonymous"}, "aws:TagKeys": {"a", "b"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.on.Principal = principal(tc.kind)
			req := request(tc.on, tc.tags, tc.check, one)
			want := maps.Clone(always)
			for _, m := range tc.want {
				maps.Copy(want, m)
			}
			if diff := cmp.Diff(want, contextOf(req)); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
			if req.Action != tc.check.Action || req.Resource != tc.check.ResourceText() {
				t.Errorf("got %s on %s", req.Action, req.Resource)
			}
			for key := range contextOf(req) {
				if _, ok := catalog.Key(key); !ok {
					t.Errorf("the catalog does not know %s", key)
				}
			}
		})
	}
}

// TestSourceIP holds that an address has one text, so that no spelling of it escapes an
// IpAddress condition.
func TestSourceIP(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7%eth0": "203.0.113.7",
		"2001:db8::1": "2001:db8::1", "2001:0DB8:0:0::1": "2001:db8::1", "fe80::1%eth0": "fe80::1", "::1": "::1",
	} {
		c := Caller{Principal: principal(User), SourceIP: netip.MustParseAddr(in)}
		req := request(c, nil, Check{Action: "iam:ListUsers"}, one)
		if got := req.Context.Values("aws:SourceIp"); !cmp.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %s", in, got, want)
		}
	}
}

// tape is a Log that keeps entries.
type tape []Entry

func (l *tape) Append(_ context.Context, entries ...Entry) error {
	*l = append(*l, entries...)
	return nil
}

// given is a Source with one situation for everybody.
type given Situation

func (s given) Situation(context.Context, Principal) (Situation, error) { return Situation(s), nil }

func parse(t *testing.T, kind policy.Kind, name, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse(policy.Source{Name: name, Owner: "user ada"}, kind, []byte(document))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

const (
	allowAll  = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	allowRead = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}}`
	denyPush  = `{"Version": "2012-10-17", "Statement": {"Sid": "No", "Effect": "Deny", "Action": ["codecommit:GitPush", "iam:ListUsers"], "Resource": "*"}}`
)

// TestEntry holds what the decision log is told.
func TestEntry(t *testing.T) {
	all, deny := parse(t, policy.Identity, "All", allowAll), parse(t, policy.Identity, "Deny", denyPush)
	log := &tape{}
	a := &Authorizer{Source: given{Policies: &policy.Situation{Identity: []*policy.Policy{all, deny, all}}}, Log: log, Now: func() time.Time { return one }}
	c := Caller{Principal: principal(User), Credential: Credential{"ssh-key", "APKAADA"}, SourceIP: netip.MustParseAddr("2001:db8::1"), RequestID: "r"}
	value := []Value{{"codecommit:References", []string{"refs/heads/main"}}}
	_, err := a.AuthorizeEach(t.Context(), c, Check{Action: "codecommit:GitPush", Resource: payments, Values: value, Way: "ask"}, Check{Action: "iam:GetUser"})
	if err != nil {
		t.Fatal(err)
	}
	digests := []string{all.Digest(), deny.Digest()}
	slices.Sort(digests)
	e := Entry{
		Time: one, RequestID: "r", Account: account, Principal: "arn:aws:iam::111122223333:user/dev/ada", UserID: "AIDAADA",
		Credential: Credential{"ssh-key", "APKAADA"}, SourceIP: "2001:db8::1",
		Action: "codecommit:GitPush", Resource: payments.String(), Values: value,
		Outcome: policy.ExplicitDeny, Reason: `explicit deny: policy Deny of user ada, statement 1 "No"`, Policies: digests, Durable: true,
	}
	read := e
	read.Action, read.Resource, read.Values, read.Durable = "iam:GetUser", "*", nil, false
	read.Outcome, read.Reason = policy.Allow, "allow: policy All of user ada, statement 1"
	if diff := cmp.Diff([]Entry{e, read}, []Entry(*log)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}

	// An address that is unknown is left out.
	*log = nil
	c.SourceIP = netip.Addr{}
	if _, err := a.Authorize(t.Context(), c, Check{Action: "iam:GetUser"}); err != nil || len(*log) != 1 || (*log)[0].SourceIP != "" {
		t.Errorf("got %v, %+v", err, *log)
	}
}

// TestDurable holds that everything but what the catalog calls a read waits for the disk.
func TestDurable(t *testing.T) {
	durable := func(action string) bool {
		return entry(Caller{}, Check{Action: action}, &policy.Request{}, policy.Unconditional("x"), one).Durable
	}
	reads, writes := 0, 0
	for _, service := range catalog.Services() {
		for _, a := range catalog.Actions(service) {
			switch a.Access {
			case catalog.List, catalog.Read:
				reads++
			default:
				writes++
			}
			if got, want := durable(a.Name), a.Access != catalog.List && a.Access != catalog.Read; got != want {
				t.Errorf("%s (%s): got %v", a.Name, a.Access, got)
			}
		}
	}
	if reads == 0 || writes == 0 {
		t.Fatalf("%d reads and %d writes: the catalog is empty", reads, writes)
	}
	for _, unknown := range []string{"", "*", "codecommit:*", "codecommit:Get", "codecommit", "s3:GetObject", "codecommit:GitPull ", "codecommit:GitPull\x00"} {
		if !durable(unknown) {
			t.Errorf("%q is not in the catalog and counts as a read", unknown)
		}
	}
}

// TestSentence holds the texts of AWS (IAM User Guide, "Troubleshoot access denied error
// messages"): the layer that decided, and how.
func TestSentence(t *testing.T) {
	all, read, no := parse(t, policy.Identity, "All", allowAll), parse(t, policy.Identity, "Read", allowRead), parse(t, policy.Identity, "Deny", denyPush)
	boundary := func(name, doc string) []*policy.Policy { return []*policy.Policy{parse(t, policy.Boundary, name, doc)} }
	session := func(name, doc string) []*policy.Policy { return []*policy.Policy{parse(t, policy.Session, name, doc)} }
	scp := func(name, doc string) [][]*policy.Policy {
		return [][]*policy.Policy{{parse(t, policy.ServiceControl, "FullAccess", allowAll), parse(t, policy.ServiceControl, name, doc)}}
	}
	identity := []*policy.Policy{all}
	for _, tc := range []struct {
		name   string
		kind   PrincipalKind
		sit    *policy.Situation
		end    string
		reason string
	}{
		{"no policies", User, &policy.Situation{}, "because no identity-based policy allows the codecommit:GitPush action", ""},
		{"identity, implicit", User, &policy.Situation{Identity: []*policy.Policy{read}}, "because no identity-based policy allows the codecommit:GitPush action", ""},
		{"identity, explicit", User, &policy.Situation{Identity: []*policy.Policy{all, no}}, "with an explicit deny in an identity-based policy",
			`explicit deny: policy Deny of user ada, statement 1 "No"`},
		{"boundary, implicit", User, &policy.Situation{Identity: identity, Boundary: boundary("Read", allowRead)},
			"because no permissions boundary allows the codecommit:GitPush action", ""},
		{"boundary, explicit", User, &policy.Situation{Identity: identity, Boundary: boundary("Deny", denyPush)},
			"with an explicit deny in a permissions boundary", `explicit deny: policy Deny of user ada, statement 1 "No"`},
		{"session, implicit", AssumedRole, &policy.Situation{Identity: identity, Session: session("Read", allowRead)},
			"because no session policy allows the codecommit:GitPush action", ""},
		{"session, empty", AssumedRole, &policy.Situation{Identity: identity, Session: []*policy.Policy{}},
			"because no session policy allows the codecommit:GitPush action", ""},
		{"session, explicit", AssumedRole, &policy.Situation{Identity: identity, Session: session("Deny", denyPush)},
			"with an explicit deny in a session policy", `explicit deny: policy Deny of user ada, statement 1 "No"`},
		{"service control, implicit", User, &policy.Situation{Identity: identity, SCPs: [][]*policy.Policy{{parse(t, policy.ServiceControl, "Read", allowRead)}}},
			"because no service control policy allows the codecommit:GitPush action", ""},
		{"service control, explicit", User, &policy.Situation{Identity: identity, SCPs: scp("Deny", denyPush)},
			"with an explicit deny in a service control policy", `explicit deny: policy Deny of user ada, statement 1 "No"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := &tape{}
			a := &Authorizer{Source: given{Policies: tc.sit}, Log: log, Now: func() time.Time { return one }}
			c := Caller{Principal: principal(tc.kind)}
			_, err := a.Authorize(t.Context(), c, Check{Action: "codecommit:GitPush", Resource: payments, Way: "Push another branch"})
			d, ok := errors.AsType[*Denial](err)
			if !ok {
				t.Fatalf("got %v, want a denial", err)
			}
			sentence := "User: " + c.Principal.ARN.String() + " is not authorized to perform: codecommit:GitPush on resource: " + payments.String() + " " + tc.end
			if d.Error() != sentence {
				t.Errorf("got  %s\nwant %s", d.Error(), sentence)
			}
			if d.Reason() != (*log)[0].Reason || tc.reason != "" && d.Reason() != tc.reason {
				t.Errorf("reason %q, logged %q, want %q", d.Reason(), (*log)[0].Reason, tc.reason)
			}
			f, _ := errors.AsType[*fault.Fault](err)
			if want := sentence + ". " + d.Reason() + ". Push another branch"; f.Message != want || f.Code != fault.AccessDenied {
				t.Errorf("got  %s: %s\nwant %s", f.Code.Name, f.Message, want)
			}
		})
	}
}

// TestSentenceVariants has sentences that lack a part, and the layer that no situation of
// a host has yet.
func TestSentenceVariants(t *testing.T) {
	user := Caller{Principal: principal(User)}
	ask := &policy.Request{Action: "iam:ListUsers", Resource: "*"}
	who := policy.Caller{ARN: user.Principal.ARN.String(), Account: account, UserID: "AIDAADA"}
	resource := parse(t, policy.Resource, "Bucket", `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "iam:ListUsers", "Resource": "*"}}`)
	start := "User: arn:aws:iam::111122223333:user/dev/ada is not authorized to perform: iam:ListUsers"
	for _, tc := range []struct {
		name string
		d    Denial
		want string
	}{
		{"without a resource", Denial{user, Check{Action: "iam:ListUsers"}, (&policy.Situation{}).Explain(ask)},
			start + " because no identity-based policy allows the iam:ListUsers action"},
		{"resource-based", Denial{user, Check{Action: "iam:ListUsers"}, (&policy.Situation{}).ExplainFor(who, resource, ask)},
			start + " with an explicit deny in a resource-based policy"},
		{"without a decision", Denial{user, Check{Action: "iam:ListUsers", Resource: payments}, nil}, start + " on resource: " + payments.String()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.d.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
	d := Denial{Caller: user, Check: Check{Action: "iam:ListUsers"}}
	if got, want := d.Fault().Message, start+". no decision was made"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPrincipalTypes(t *testing.T) {
	for kind, want := range map[PrincipalKind]string{Nobody: "Anonymous", Root: "Account", User: "User", AssumedRole: "AssumedRole", 99: "Anonymous"} {
		if kind.String() != want {
			t.Errorf("%d is %s, want %s", kind, kind, want)
		}
	}
}
