package iamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/iam"
)

// testPaging compares every listing, read page by page, with a sort in memory.
func testPaging(t *testing.T, h Host) {
	nameOf := rapid.StringMatching(`[A-Ca-c_+=,.@-]{1,3}`)
	pathOf := rapid.SampledFrom([]string{"/", "/a/", "/a/b/", "/A/", "/ab/"})
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		acct := fmt.Sprintf("%012d", round)
		if err := h.Store.CreateAccount(t.Context(), iam.Account{ID: acct}); err != nil {
			rt.Fatal(err)
		}
		names := rapid.SliceOfNDistinct(nameOf, 0, 12, iam.Fold).Draw(rt, "names")
		paths := rapid.SliceOfN(pathOf, len(names), len(names)).Draw(rt, "paths")
		limit := rapid.IntRange(1, 5).Draw(rt, "limit")
		prefix := rapid.SampledFrom([]string{"/", "/a", "/a/", "/a/b/", "/%", "/_"}).Draw(rt, "prefix")
		owner := "AIDA" + acct
		err := h.Store.Update(t.Context(), acct, func(ctx context.Context, tx iam.Tx) (err error) {
			err = tx.InsertGroup(ctx, iam.Group{Account: acct, ID: "AGPAall", Name: "all", Path: "/"})
			for i, n := range names {
				id := acct + fmt.Sprint(i)
				err = errors.Join(err,
					tx.InsertUser(ctx, iam.User{Account: acct, ID: "AIDA" + id, Name: n, Path: paths[i]}),
					tx.InsertGroup(ctx, iam.Group{Account: acct, ID: "AGPA" + id, Name: "g" + n, Path: paths[i]}),
					tx.InsertMember(ctx, acct, "AGPAall", "AIDA"+id), tx.InsertMember(ctx, acct, "AGPA"+id, owner),
					tx.PutInlinePolicy(ctx, acct, owner, iam.InlinePolicy{Name: n, Document: "{}"}),
					tx.PutTag(ctx, acct, owner, iam.Tag{Key: n}),
					tx.InsertAccessKey(ctx, iam.AccessKey{Account: acct, ID: n + acct, UserID: owner, Sealed: []byte{1}}),
					tx.InsertServiceCredential(ctx, iam.ServiceCredential{Account: acct, ID: n + acct, UserID: owner, Service: "s", UserName: n + acct, Hash: []byte{1}}),
					tx.InsertSSHPublicKey(ctx, iam.SSHPublicKey{Account: acct, ID: n + acct, UserID: owner, Wire: []byte(n)}))
			}
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}
		model := pagingModel{names: names, paths: paths}
		err = h.Store.View(t.Context(), func(ctx context.Context, tx iam.Reader) error {
			walk(ctx, rt, "users", model.named("", prefix), limit, func(p iam.Page) ([]iam.User, error) { return tx.Users(ctx, acct, prefix, p) },
				func(u iam.User) string { return u.Name })
			walk(ctx, rt, "groups", model.named("g", prefix, "all"), limit, func(p iam.Page) ([]iam.Group, error) { return tx.Groups(ctx, acct, prefix, p) },
				func(g iam.Group) string { return g.Name })
			walk(ctx, rt, "members", model.named("", "/"), limit, func(p iam.Page) ([]iam.User, error) { return tx.Members(ctx, acct, "AGPAall", p) },
				func(u iam.User) string { return u.Name })
			walk(ctx, rt, "groups of a user", model.named("g", "/"), limit, func(p iam.Page) ([]iam.Group, error) { return tx.GroupsOf(ctx, acct, owner, p) },
				func(g iam.Group) string { return g.Name })
			walk(ctx, rt, "tags", model.named("", "/"), limit, func(p iam.Page) ([]iam.Tag, error) { return tx.Tags(ctx, acct, owner, p) },
				func(tag iam.Tag) string { return tag.Key })
			walk(ctx, rt, "policies", model.bytewise(""), limit, func(p iam.Page) ([]iam.InlinePolicy, error) { return tx.InlinePolicies(ctx, acct, owner, p) },
				func(p iam.InlinePolicy) string { return p.Name })
			walk(ctx, rt, "access keys", model.bytewise(acct), limit, func(p iam.Page) ([]iam.AccessKey, error) { return tx.AccessKeys(ctx, acct, owner, p) },
				func(k iam.AccessKey) string { return k.ID })
			walk(ctx, rt, "credentials", model.bytewise(acct), limit, func(p iam.Page) ([]iam.ServiceCredential, error) {
				return tx.ServiceCredentials(ctx, acct, owner, "s", p)
			}, func(c iam.ServiceCredential) string { return c.ID })
			walk(ctx, rt, "SSH public keys", model.bytewise(acct), limit, func(p iam.Page) ([]iam.SSHPublicKey, error) { return tx.SSHPublicKeys(ctx, acct, owner, p) },
				func(k iam.SSHPublicKey) string { return k.ID })
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// pagingModel is the slow and obvious answer to every listing.
type pagingModel struct {
	names, paths []string
}

// named returns the names under a path prefix, each after a lead, and what else is in
// the root path, in folded order.
func (m pagingModel) named(lead, pathPrefix string, also ...string) []string {
	var all []string
	if pathPrefix == "/" {
		all = append(all, also...)
	}
	for i, n := range m.names {
		if strings.HasPrefix(m.paths[i], pathPrefix) {
			all = append(all, lead+n)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(iam.Fold(a), iam.Fold(b)) })
	return all
}

func (m pagingModel) bytewise(tail string) []string {
	var all []string
	for _, n := range m.names {
		all = append(all, n+tail)
	}
	slices.Sort(all)
	return all
}

// walk reads a listing page by page and compares.
func walk[T any](ctx context.Context, rt *rapid.T, what string, want []string, limit int, read func(iam.Page) ([]T, error), key func(T) string) {
	rt.Helper()
	var got []string
	page := iam.Page{Limit: limit}
	for {
		rows, err := read(page)
		if err != nil {
			rt.Fatalf("%s: %v", what, err)
		}
		if len(rows) > limit {
			rt.Fatalf("%s: a page of %d rows, the limit is %d", what, len(rows), limit)
		}
		for _, r := range rows {
			got = append(got, key(r))
		}
		if len(rows) < limit || ctx.Err() != nil {
			break
		}
		page.After = got[len(got)-1]
	}
	if d := cmp.Diff(want, got); d != "" {
		rt.Errorf("%s by pages of %d (-want +got):\n%s", what, limit, d)
	}
}
