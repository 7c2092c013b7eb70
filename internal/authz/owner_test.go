package authz

import "testing"

// TestOwner: a session is its user's, whatever proves it, and a session of a role is the
// role's, whatever it is called.
func TestOwner(t *testing.T) {
	user, role := principal(User), principal(AssumedRole)
	session := user
	session.Session.Issued = one
	other := role
	other.UserID = "AROAROLE:another"
	if user.Owner() != session.Owner() || role.Owner() != other.Owner() {
		t.Error("a session has a share of its own")
	}
	owners := map[string]bool{}
	for _, p := range []Principal{principal(Root), user, role} {
		owners[p.Owner()] = true
	}
	if len(owners) != 3 || owners[""] {
		t.Errorf("%v", owners)
	}
	if (Principal{}).Owner() == "" {
		t.Error("nobody is the host itself")
	}
}
