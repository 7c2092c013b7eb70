package sqlstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

func openBench(b *testing.B) *DB {
	b.Helper()
	db, err := Open(b.Context(), Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// numbered is a different object ID for each number.
func numbered(n int) (id oid.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return id
}

// withRefs makes a repository that has this many branches.
func withRefs(tb testing.TB, s codecommit.Store, id repo.ID, n int) {
	tb.Helper()
	err := s.Update(tb.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		err := tx.InsertRepository(ctx, codecommit.Repository{Account: logAccount, ID: id, Name: string(id)})
		if err != nil {
			return err
		}
		gen, err := tx.Advance(ctx, id, 0, logTime)
		for i := range n {
			err = errors.Join(err, tx.SwapRef(ctx, id, gen, codecommit.RefMove{Ref: branchNumber(i), New: numbered(i)}))
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func branchNumber(i int) refname.Name {
	return refname.Name(fmt.Sprintf("refs/heads/feature/team-%02d/change-%06d", i%50, i))
}

// BenchmarkPush is the transaction of a push of one branch that brings 1 KB.
func BenchmarkPush(b *testing.B) {
	pack := bytes.Repeat([]byte{'p'}, 1024)
	for _, refs := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("refs=%d", refs), func(b *testing.B) {
			s := openBench(b).CodeCommit()
			const id = repo.ID("11111111-0000-4000-8000-000000000001")
			withRefs(b, s, id, refs)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				m := codecommit.RefMove{Ref: branchNumber(0), Old: numbered(n), New: numbered(n + 1)}
				err := s.Update(b.Context(), func(ctx context.Context, tx codecommit.Tx) error {
					gen, err := tx.Advance(ctx, id, 0, logTime)
					if err != nil {
						return err
					}
					return errors.Join(tx.SwapRef(ctx, id, gen, m),
						tx.InsertPack(ctx, id, gen, repo.Pack{ID: fmt.Sprintf("%026d", gen), SHA256: strings.Repeat("0", 64), Size: 1024, Objects: 3, Inline: pack}),
						tx.AppendRefEvents(ctx, id, []codecommit.RefEvent{{Gen: gen, Move: m, Principal: "arn:aws:iam::111122223333:user/dev", Operation: "GitPush"}}))
				})
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

// BenchmarkSnapshot reads a whole repository, and what changed since a generation ago.
func BenchmarkSnapshot(b *testing.B) {
	for _, refs := range []int{10, 1000, 10_000} {
		s := openBench(b).CodeCommit()
		const id = repo.ID("11111111-0000-4000-8000-000000000001")
		withRefs(b, s, id, refs)
		err := s.Update(b.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			gen, err := tx.Advance(ctx, id, 0, logTime)
			return errors.Join(err, tx.SwapRef(ctx, id, gen, codecommit.RefMove{Ref: branchNumber(0), Old: numbered(0), New: numbered(1)}))
		})
		if err != nil {
			b.Fatal(err)
		}
		for what, c := range map[string]struct {
			since int64
			want  int
		}{"full": {0, refs}, "delta": {1, 1}} {
			b.Run(fmt.Sprintf("%s/refs=%d", what, refs), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					err := s.View(b.Context(), func(ctx context.Context, tx codecommit.Reader) error {
						_, err := tx.RepositoryByID(ctx, id)
						all, err2 := tx.Refs(ctx, id, c.since)
						_, err3 := tx.Packs(ctx, id)
						if len(all) != c.want {
							b.Errorf("read %d refs", len(all))
						}
						return errors.Join(err, err2, err3)
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRefConflict asks for a new branch among many.
func BenchmarkRefConflict(b *testing.B) {
	s := openBench(b).CodeCommit()
	const id = repo.ID("11111111-0000-4000-8000-000000000001")
	withRefs(b, s, id, 10_000)
	err := s.View(b.Context(), func(ctx context.Context, tx codecommit.Reader) error {
		for b.Loop() {
			if _, err := tx.RefConflict(ctx, id, "refs/heads/feature/team-07/new"); !errors.Is(err, codecommit.ErrNotFound) {
				b.Errorf("answered %v", err)
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
