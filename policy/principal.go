package policy

import (
	"strings"
)

// Caller is who asks, as the principal elements of trust and resource policies name
// callers. A field that does not apply is empty.
type Caller struct {
	ARN     string // of the user, or of the session: arn:aws:sts::A:assumed-role/R/S
	Role    string // of a role session: ARN of the role
	Account string // 12 digits
	UserID  string // AIDA…, or AROA…:session

	// Federated is the identity provider of a caller that has no IAM principal yet,
	// Service a service that calls by itself.
	Federated, Service string
}

// reach says how a principal element reaches a caller, which decides what else
// has to allow (IAM User Guide, "Policy evaluation for requests within a single
// account"). A greater reach needs less.
type reach uint8

const (
	unreached  reach = iota
	viaAccount       // through the account: identity policies must allow as well
	viaRole          // the role behind a session: boundary and session policy still limit
	direct           // the user, session or service itself
)

// reaches returns how one principal of a policy reaches the caller.
func (p *Principal) reaches(c *Caller) reach {
	switch p.Type {
	case "*":
		return direct
	case "AWS":
		return p.reachesAWS(c)
	case "Federated":
		if c.Federated != "" && (p.Name == c.Federated || p.Name == "*") {
			return direct
		}
	case "Service":
		if c.Service != "" && p.Name == c.Service {
			return direct
		}
	}
	return unreached
}

func (p *Principal) reachesAWS(c *Caller) reach {
	role, _, isSession := strings.Cut(c.UserID, ":")
	switch {
	case p.Name == "*":
		return direct
	case c.Account == "":
		return unreached
	case p.isAccount():
		if p.account() == c.Account {
			return viaAccount
		}
	case p.Name == c.ARN, !isSession && p.Name == c.UserID:
		return direct
	case c.Role != "" && p.Name == c.Role, isSession && p.Name == role:
		return viaRole
	}
	return unreached
}

// isAccount reports whether the entry names an account as a whole.
func (p *Principal) isAccount() bool {
	return isAccount(p.Name) || strings.HasSuffix(p.Name, ":root")
}

func (p *Principal) account() string {
	if isAccount(p.Name) {
		return p.Name
	}
	head := strings.TrimSuffix(p.Name, ":root")
	return head[strings.LastIndexByte(head, ':')+1:]
}

// testPrincipal answers for the Principal or NotPrincipal element. A policy without
// one speaks about whoever it is attached to.
func (s *statement) testPrincipal(c *Caller) (truth, reach) {
	if len(s.principals) == 0 {
		return yes, direct
	}
	if c == nil {
		return no, unreached
	}
	best, account := unreached, false
	for i := range s.principals {
		r := s.principals[i].reaches(c)
		best = max(best, r)
		account = account || r == viaAccount
	}
	if !s.notPrincipal {
		return truthOf(best != unreached), best
	}
	switch {
	case best == unreached:
		return yes, direct
	case account && best > viaAccount:
		return no, unreached
	default:
		// AWS asks that both the account and the caller be listed in NotPrincipal;
		// what one of them alone excludes is contested.
		return unsure, direct
	}
}
