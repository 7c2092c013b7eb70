package authz

import (
	"net/netip"
	"strings"

	"github.com/refward/refward/arn"
)

// PrincipalKind says what sort of principal a caller is.
type PrincipalKind uint8

// The kinds of principal. The zero value is nobody.
const (
	Nobody      PrincipalKind = iota
	Root                      // the account itself: everything is allowed
	User                      // an IAM user
	AssumedRole               // a session of an IAM role
)

// String returns the value of aws:PrincipalType for the kind.
func (k PrincipalKind) String() string {
	switch k {
	case Root:
		return "Account"
	case User:
		return "User"
	case AssumedRole:
		return "AssumedRole"
	default:
		return "Anonymous"
	}
}

// Principal is who is asking, as the identity domain knows it.
type Principal struct {
	Kind    PrincipalKind
	Account string  // 12 digits
	ARN     arn.ARN // arn:aws:iam::A:root, …:user/path/name, or the session's sts ARN
	UserID  string  // unique ID: AIDA…, AROA…:session, or the account ID for root (aws:userid)
	Name    string  // user name (aws:username); empty for root and role sessions
	Session Session // of temporary credentials
}

// Owner names who answers for what a principal takes of the host: the user, also for their
// sessions, or the role of a session, whatever the session is called. It is never empty.
func (p Principal) Owner() string {
	id, _, _ := strings.Cut(p.UserID, ":")
	return p.Account + "/" + id
}

// Credential names what proved the principal, for the decision log. It never
// holds a secret.
type Credential struct {
	Kind string // "access-key", "session", "service-specific", "git-signature", "ssh-key"
	ID   string // AKIA…, ASIA…, ACCA…, APKA…
}

// Caller is a principal making one request. Front doors make it, from what
// internal/authn proved and what the connection says.
type Caller struct {
	Principal  Principal
	Credential Credential
	SourceIP   netip.Addr // aws:SourceIp; the zero Addr when unknown
	UserAgent  string     // aws:UserAgent, at most 1 KiB
	Secure     bool       // aws:SecureTransport
	Region     string     // aws:RequestedRegion
	RequestID  string     // UUID, in answers, logs and the decision log
}
