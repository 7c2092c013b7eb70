package policycmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/policy"
)

// providers are the identity providers that policies name without an ARN.
var providers = []string{"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}

// callerOf reads who asks: the ARN of a user, role, session, identity provider or
// account, the name of a service or of a web identity provider, or a unique ID. The
// account is used when the name itself says none.
//
// The ARN of a session does not hold the path of its role, so that a trust policy that
// names a role with a path is met by the role's own ARN alone. A role's ARN stands for
// any of its sessions.
func callerOf(name, account string) (policy.Caller, error) {
	a, isARN := arn.Cut(name)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch {
	case name == "":
		return policy.Caller{}, fmt.Errorf("a trust policy needs to know who asks: give the principal")
	case isAccount(name):
		return policy.Caller{ARN: "arn:aws:iam::" + name + ":root", Account: name}, nil
	case slices.Contains(providers, name):
		return policy.Caller{Federated: name}, nil
	case isARN && a.Service == "iam" && (kind == "saml-provider" || kind == "oidc-provider"):
		return policy.Caller{Federated: name}, nil
	case isARN && !isAccount(a.Account):
		return policy.Caller{}, fmt.Errorf("principal %q names no account of 12 digits", name)
	case isARN && a.Service == "iam" && kind == "role":
		return policy.Caller{Role: name, Account: a.Account}, nil
	case isARN && a.Service == "sts" && kind == "assumed-role":
		role, _, _ := strings.Cut(rest, "/")
		of := arn.ARN{Partition: a.Partition, Service: "iam", Account: a.Account, Resource: "role/" + role}
		return policy.Caller{ARN: name, Role: of.String(), Account: a.Account}, nil
	case isARN:
		return policy.Caller{ARN: name, Account: a.Account}, nil
	case isUniqueID(name):
		return policy.Caller{UserID: name, Account: account}, nil
	case strings.HasSuffix(name, ".amazonaws.com") || strings.HasSuffix(name, ".amazonaws.com.cn"):
		return policy.Caller{Service: name}, nil
	default:
		return policy.Caller{}, fmt.Errorf("principal %q is neither an ARN nor an account, a unique ID, a service or an identity provider", name)
	}
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isUniqueID reports whether text is the ID of a user (AIDA…) or of a role, with or
// without the name of a session (AROA…:name).
func isUniqueID(s string) bool {
	id, _, _ := strings.Cut(s, ":")
	return (strings.HasPrefix(id, "AIDA") || strings.HasPrefix(id, "AROA")) &&
		strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}
