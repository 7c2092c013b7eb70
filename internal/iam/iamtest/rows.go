package iamtest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/iam"
)

// attempt runs f in an update of its own and returns its error.
func attempt(t *testing.T, s iam.Store, f func(ctx context.Context, tx iam.Tx) error) error {
	t.Helper()
	return s.Update(t.Context(), account, f)
}

func testNames(t *testing.T, h Host) {
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, user("Alice")), tx.InsertUser(ctx, user("bob")),
			tx.InsertGroup(ctx, group("Alice")), tx.InsertGroup(ctx, group("devs")))
	})
	twin := user("aLICE")
	twinGroup := group("DEVS")
	renamed := user("bob")
	renamed.Name = "ALICE"
	for what, f := range map[string]func(ctx context.Context, tx iam.Tx) error{
		"insert a user":  func(ctx context.Context, tx iam.Tx) error { return tx.InsertUser(ctx, twin) },
		"insert a group": func(ctx context.Context, tx iam.Tx) error { return tx.InsertGroup(ctx, twinGroup) },
		"rename a user":  func(ctx context.Context, tx iam.Tx) error { return tx.UpdateUser(ctx, renamed) },
		"reuse an ID": func(ctx context.Context, tx iam.Tx) error {
			u := user("carol")
			u.ID = "AIDAbob"
			return tx.InsertUser(ctx, u)
		},
	} {
		wantErr(t, what+" to a name that differs in case alone", attempt(t, h.Store, f), iam.ErrExists)
	}
	own := user("Alice")
	own.Name, own.Path = "alice", "/ops/"
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.UpdateUser(ctx, own) })
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		got, err := tx.User(ctx, account, "alice")
		if d := cmp.Diff(own, got); d != "" {
			t.Errorf("the renamed user (-want +got):\n%s", d)
		}
		_, wrongCase := tx.User(ctx, account, "Alice")
		wantErr(t, "a name in another case", wrongCase, iam.ErrNotFound)
		_, wrongCase = tx.Group(ctx, account, "Devs")
		wantErr(t, "a group's name in another case", wrongCase, iam.ErrNotFound)
		return err
	})
}

func testDocuments(t *testing.T, h Host) {
	policies := []iam.InlinePolicy{
		{Name: "P", Document: "{\r\n\t\"a\" : \"\u00ff\" }  \n"},
		{Name: "p", Document: " {} "},
		{Name: "p-2", Document: "'; DROP TABLE iam_user; -- $1 ?1"},
	}
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		err := tx.PutInlinePolicy(ctx, account, "AIDAx", iam.InlinePolicy{Name: "p", Document: "replaced below"})
		for _, p := range policies {
			err = errors.Join(err, tx.PutInlinePolicy(ctx, account, "AIDAx", p))
		}
		return err
	})
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		got, err := tx.InlinePolicies(ctx, account, "AIDAx", iam.Page{Limit: 10})
		if d := cmp.Diff(policies, got); d != "" {
			t.Errorf("policies (-want +got):\n%s", d)
		}
		one, err2 := tx.InlinePolicy(ctx, account, "AIDAx", "P")
		if one != policies[0] {
			t.Errorf("policy P is %+v", one)
		}
		_, other := tx.InlinePolicy(ctx, account, "AIDAy", "P")
		wantErr(t, "another owner's policy", other, iam.ErrNotFound)
		return errors.Join(err, err2)
	})
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return tx.DeleteInlinePolicy(ctx, account, "AIDAx", "p")
	})
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		_, gone := tx.InlinePolicy(ctx, account, "AIDAx", "p")
		wantErr(t, "a deleted policy", gone, iam.ErrNotFound)
		_, err := tx.InlinePolicy(ctx, account, "AIDAx", "P")
		return err
	})
}

func testMembership(t *testing.T, h Host) {
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, user("a")), tx.InsertUser(ctx, user("b")),
			tx.InsertGroup(ctx, group("g")), tx.InsertGroup(ctx, group("h")),
			tx.InsertMember(ctx, account, "AGPAg", "AIDAb"), tx.InsertMember(ctx, account, "AGPAg", "AIDAa"),
			tx.InsertMember(ctx, account, "AGPAh", "AIDAa"))
	})
	wantErr(t, "a member twice", attempt(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return tx.InsertMember(ctx, account, "AGPAg", "AIDAa")
	}), iam.ErrExists)
	check := func(wantMembers []iam.User, wantGroups []iam.Group) {
		t.Helper()
		view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
			members, err := tx.Members(ctx, account, "AGPAg", iam.Page{Limit: 10})
			groups, err2 := tx.GroupsOf(ctx, account, "AIDAa", iam.Page{Limit: 10})
			if d := cmp.Diff(wantMembers, members); d != "" {
				t.Errorf("members (-want +got):\n%s", d)
			}
			if d := cmp.Diff(wantGroups, groups); d != "" {
				t.Errorf("groups (-want +got):\n%s", d)
			}
			return errors.Join(err, err2)
		})
	}
	check([]iam.User{user("a"), user("b")}, []iam.Group{group("g"), group("h")})
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return tx.DeleteMember(ctx, account, "AGPAg", "AIDAa")
	})
	check([]iam.User{user("b")}, []iam.Group{group("h")})
}

func testTags(t *testing.T, h Host) {
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(
			tx.PutTag(ctx, account, "AIDAa", iam.Tag{Key: "Team", Value: "x"}),
			tx.PutTag(ctx, account, "AIDAa", iam.Tag{Key: "TEAM", Value: "y"}),
			tx.PutTag(ctx, account, "AIDAa", iam.Tag{Key: "Äge", Value: ""}))
	})
	tags := func() (all []iam.Tag) {
		view(t, h.Store, func(ctx context.Context, tx iam.Reader) (err error) {
			all, err = tx.Tags(ctx, account, "AIDAa", iam.Page{Limit: 10})
			return err
		})
		return all
	}
	if d := cmp.Diff([]iam.Tag{{Key: "TEAM", Value: "y"}, {Key: "Äge"}}, tags()); d != "" {
		t.Errorf("tags (-want +got):\n%s", d)
	}
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.DeleteTag(ctx, account, "AIDAa", "äGE") })
	if d := cmp.Diff([]iam.Tag{{Key: "TEAM", Value: "y"}}, tags()); d != "" {
		t.Errorf("tags after deleting one (-want +got):\n%s", d)
	}
}

func testKeys(t *testing.T, h Host) {
	alice := user("alice")
	k := iam.AccessKey{Account: account, ID: "AKIA1", UserID: alice.ID, Active: true, Sealed: []byte{0, 1, 255}, Created: at}
	root := iam.AccessKey{Account: account, ID: "AKIA0", UserID: account, Active: true, Sealed: []byte("r"), Created: at}
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, alice), tx.InsertAccessKey(ctx, k), tx.InsertAccessKey(ctx, root))
	})
	got, holder, err := h.Store.AccessKeyHolder(t.Context(), "AKIA1")
	if d := cmp.Diff(k, got) + cmp.Diff(alice, holder); d != "" || err != nil {
		t.Errorf("holder of AKIA1: %v (-want +got):\n%s", err, d)
	}
	got, holder, err = h.Store.AccessKeyHolder(t.Context(), "AKIA0")
	if d := cmp.Diff(root, got) + cmp.Diff(iam.User{}, holder); d != "" || err != nil {
		t.Errorf("holder of AKIA0: %v (-want +got):\n%s", err, d)
	}
	_, _, err = h.Store.AccessKeyHolder(t.Context(), "akia1")
	wantErr(t, "a key ID in another case", err, iam.ErrNotFound)
	wantErr(t, "a key ID twice", attempt(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return tx.InsertAccessKey(ctx, k)
	}), iam.ErrExists)
	k.Active, k.Sealed = false, []byte("new")
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.UpdateAccessKey(ctx, k) })
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		keys, err := tx.AccessKeys(ctx, account, alice.ID, iam.Page{Limit: 10})
		if d := cmp.Diff([]iam.AccessKey{k}, keys); d != "" {
			t.Errorf("keys (-want +got):\n%s", d)
		}
		return err
	})
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.DeleteAccessKey(ctx, account, "AKIA1") })
	_, _, err = h.Store.AccessKeyHolder(t.Context(), "AKIA1")
	wantErr(t, "a deleted key", err, iam.ErrNotFound)
}

func testCredentials(t *testing.T, h Host) {
	alice := user("alice")
	c := iam.ServiceCredential{Account: account, ID: "ACCA1", UserID: alice.ID, Service: "codecommit.amazonaws.com",
		UserName: "alice-at-111122223333", Hash: []byte{0, 1, 255}, Active: true, Created: at}
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, alice), tx.InsertServiceCredential(ctx, c))
	})
	got, holder, err := h.Store.ServiceCredentialHolder(t.Context(), c.UserName)
	if d := cmp.Diff(c, got) + cmp.Diff(alice, holder); d != "" || err != nil {
		t.Errorf("holder: %v (-want +got):\n%s", err, d)
	}
	_, _, err = h.Store.ServiceCredentialHolder(t.Context(), "Alice-at-111122223333")
	wantErr(t, "a user name in another case", err, iam.ErrNotFound)
	wantErr(t, "a user name twice", attempt(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		again := c
		again.ID = "ACCA2"
		return tx.InsertServiceCredential(ctx, again)
	}), iam.ErrExists)
	c.Active, c.Hash = false, []byte("new")
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.UpdateServiceCredential(ctx, c) })
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		for _, q := range []struct {
			user, service string
			want          []iam.ServiceCredential
		}{
			{alice.ID, c.Service, []iam.ServiceCredential{c}},
			{"", "", []iam.ServiceCredential{c}},
			{alice.ID, "other", nil},
			{"AIDAother", "", nil},
		} {
			got, err := tx.ServiceCredentials(ctx, account, q.user, q.service, iam.Page{Limit: 10})
			if d := cmp.Diff(q.want, got); d != "" || err != nil {
				t.Errorf("credentials of %q for %q: %v (-want +got):\n%s", q.user, q.service, err, d)
			}
		}
		for name, want := range map[string]bool{c.UserName: true, "ALICE-at-111122223333": false} {
			if got, err := tx.HasServiceUserName(ctx, name); got != want || err != nil {
				t.Errorf("has the user name %s: %v, %v", name, got, err)
			}
		}
		got, err := tx.ServiceCredential(ctx, account, "ACCA1")
		if d := cmp.Diff(c, got); d != "" {
			t.Errorf("credential (-want +got):\n%s", d)
		}
		return err
	})
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return tx.DeleteServiceCredential(ctx, account, "ACCA1")
	})
	_, _, err = h.Store.ServiceCredentialHolder(t.Context(), c.UserName)
	wantErr(t, "a deleted credential", err, iam.ErrNotFound)
}

// testMissing: changes of what is not there say so, and so change nothing unnoticed.
func testMissing(t *testing.T, h Host) {
	for what, f := range map[string]func(ctx context.Context, tx iam.Tx) error{
		"UpdateUser":         func(ctx context.Context, tx iam.Tx) error { return tx.UpdateUser(ctx, user("x")) },
		"DeleteUser":         func(ctx context.Context, tx iam.Tx) error { return tx.DeleteUser(ctx, account, "AIDAx") },
		"UpdateGroup":        func(ctx context.Context, tx iam.Tx) error { return tx.UpdateGroup(ctx, group("x")) },
		"DeleteGroup":        func(ctx context.Context, tx iam.Tx) error { return tx.DeleteGroup(ctx, account, "AGPAx") },
		"DeleteMember":       func(ctx context.Context, tx iam.Tx) error { return tx.DeleteMember(ctx, account, "AGPAx", "AIDAx") },
		"DeleteInlinePolicy": func(ctx context.Context, tx iam.Tx) error { return tx.DeleteInlinePolicy(ctx, account, "AIDAx", "p") },
		"UpdateAccessKey": func(ctx context.Context, tx iam.Tx) error {
			return tx.UpdateAccessKey(ctx, iam.AccessKey{Account: account, ID: "AKIAx", Sealed: []byte("s")})
		},
		"DeleteAccessKey": func(ctx context.Context, tx iam.Tx) error { return tx.DeleteAccessKey(ctx, account, "AKIAx") },
		"UpdateServiceCredential": func(ctx context.Context, tx iam.Tx) error {
			return tx.UpdateServiceCredential(ctx, iam.ServiceCredential{Account: account, ID: "ACCAx", Hash: []byte("h")})
		},
		"DeleteServiceCredential": func(ctx context.Context, tx iam.Tx) error { return tx.DeleteServiceCredential(ctx, account, "ACCAx") },
		"UpdateSSHPublicKey": func(ctx context.Context, tx iam.Tx) error {
			return tx.UpdateSSHPublicKey(ctx, iam.SSHPublicKey{Account: account, ID: "APKAx"})
		},
		"DeleteSSHPublicKey": func(ctx context.Context, tx iam.Tx) error { return tx.DeleteSSHPublicKey(ctx, account, "APKAx") },
		"SSHPublicKey": func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.SSHPublicKey(ctx, account, "APKAx")
			return err
		},
		"DeleteTag": func(ctx context.Context, tx iam.Tx) error { return tx.DeleteTag(ctx, account, "AIDAx", "k") },
		"User": func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.User(ctx, account, "x")
			return err
		},
		"UserByID": func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.UserByID(ctx, account, "AIDAx")
			return err
		},
		"Group": func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.Group(ctx, account, "x")
			return err
		},
		"AccessKey": func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.AccessKey(ctx, account, "AKIAx")
			return err
		},
		"ServiceCredential": func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.ServiceCredential(ctx, account, "ACCAx")
			return err
		},
	} {
		wantErr(t, what, attempt(t, h.Store, f), iam.ErrNotFound)
	}
}

func testAccountsApart(t *testing.T, h Host) {
	const other = "444455556666"
	create(t, h.Store, other)
	before := generation(t, h.Store)
	theirs := user("alice")
	theirs.Account = other
	err := h.Store.Update(t.Context(), other, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, theirs), tx.PutTag(ctx, other, theirs.ID, iam.Tag{Key: "k", Value: "theirs"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := generation(t, h.Store); got != before {
		t.Errorf("another account's change moved our generation from %d to %d", before, got)
	}
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.InsertUser(ctx, user("alice")) })
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		got, err := tx.User(ctx, account, "alice")
		if d := cmp.Diff(user("alice"), got); d != "" {
			t.Errorf("our alice (-want +got):\n%s", d)
		}
		tags, err2 := tx.Tags(ctx, account, theirs.ID, iam.Page{Limit: 1})
		if len(tags) != 0 {
			t.Errorf("our alice has their tags: %v", tags)
		}
		n, err3 := tx.CountUsers(ctx, account)
		if n != 1 {
			t.Errorf("we have %d users, want 1", n)
		}
		return errors.Join(err, err2, err3)
	})
}
