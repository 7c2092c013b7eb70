package iamtest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/iam"
)

func testSSHPublicKeys(t *testing.T, h Host) {
	alice, bob := user("alice"), user("bob")
	k := iam.SSHPublicKey{Account: account, ID: "APKA1", UserID: alice.ID, Wire: []byte{0, 1, 255}, Comment: "alice@ü", Active: true, Uploaded: at}
	bobs := k
	bobs.ID, bobs.UserID = "APKA2", bob.ID // the same key of another user
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, alice), tx.InsertUser(ctx, bob), tx.InsertSSHPublicKey(ctx, k), tx.InsertSSHPublicKey(ctx, bobs))
	})
	for what, twice := range map[string]iam.SSHPublicKey{
		"an ID twice":            {Account: account, ID: k.ID, UserID: bob.ID, Wire: []byte("other")},
		"a user's key twice":     {Account: account, ID: "APKA3", UserID: alice.ID, Wire: k.Wire},
		"the same row once more": k,
	} {
		wantErr(t, what, attempt(t, h.Store, func(ctx context.Context, tx iam.Tx) error {
			return tx.InsertSSHPublicKey(ctx, twice)
		}), iam.ErrExists)
	}
	got, holder, err := h.Store.SSHPublicKeyHolder(t.Context(), "APKA1")
	if d := cmp.Diff(k, got) + cmp.Diff(alice, holder); d != "" || err != nil {
		t.Errorf("holder: %v (-want +got):\n%s", err, d)
	}
	_, _, err = h.Store.SSHPublicKeyHolder(t.Context(), "apka1")
	wantErr(t, "a key ID in another case", err, iam.ErrNotFound)
	k.Active = false
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.UpdateSSHPublicKey(ctx, k) })
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		keys, err := tx.SSHPublicKeys(ctx, account, alice.ID, iam.Page{Limit: 10})
		if d := cmp.Diff([]iam.SSHPublicKey{k}, keys); d != "" {
			t.Errorf("keys (-want +got):\n%s", d)
		}
		one, err2 := tx.SSHPublicKey(ctx, account, bobs.ID)
		if d := cmp.Diff(bobs, one); d != "" {
			t.Errorf("bob's key (-want +got):\n%s", d)
		}
		return errors.Join(err, err2)
	})
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.DeleteSSHPublicKey(ctx, account, "APKA1") })
	_, _, err = h.Store.SSHPublicKeyHolder(t.Context(), "APKA1")
	wantErr(t, "a deleted key", err, iam.ErrNotFound)
}
