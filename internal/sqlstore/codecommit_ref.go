package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// refScanner returns a scan that uses the same places for every row: a repository may
// have a hundred thousand refs.
func refScanner() func(scan func(...any) error) (repo.Ref, error) {
	var name []byte
	var r repo.Ref
	dest := []any{&name, oidColumn{&r.OID}, oidColumn{&r.Peeled}}
	return func(scan func(...any) error) (repo.Ref, error) {
		err := scan(dest...)
		r.Name = refname.Name(name)
		return r, err
	}
}

const (
	selectRefs = `SELECT name, oid, peeled FROM ref WHERE repo_id = $1 AND oid IS NOT NULL ORDER BY name`

	// Without an ORDER BY, for which an engine would rather walk all refs by name than
	// sort the few that changed.
	selectRefsSince = `SELECT name, oid, peeled FROM ref WHERE repo_id = $1 AND gen > $2`
)

func (t codecommitTx) Refs(ctx context.Context, id repo.ID, sinceGen int64) ([]repo.Ref, error) {
	if sinceGen <= 0 {
		return collect(ctx, t.q, refScanner(), selectRefs, id)
	}
	changed, err := collect(ctx, t.q, refScanner(), selectRefsSince, id, sinceGen)
	slices.SortFunc(changed, func(a, b repo.Ref) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return changed, err
}

func (t codecommitTx) Ref(ctx context.Context, id repo.ID, name refname.Name) (repo.Ref, error) {
	r, err := readOne(ctx, t.q, refScanner(),
		`SELECT name, oid, peeled FROM ref WHERE repo_id = $1 AND name = $2 AND oid IS NOT NULL`, id, refArg(name))
	return r, rowError(err, "ref", name)
}

// foldersAtOnce is how many folders of a name one query of RefConflict asks about;
// names with more are rare and take another one.
const foldersAtOnce = 8

const selectConflict = `SELECT name FROM ref WHERE repo_id = $1 AND name >= $2 AND name < $3 AND oid IS NOT NULL
	UNION ALL
	SELECT name FROM ref WHERE repo_id = $1 AND name IN ($4, $5, $6, $7, $8, $9, $10, $11) AND oid IS NOT NULL
	LIMIT 1`

func (t codecommitTx) RefConflict(ctx context.Context, id repo.ID, name refname.Name) (refname.Name, error) {
	folders := foldersOf(name)
	for {
		args := []any{id, refArg(name + "/"), refArg(name + "0")} // "0" is the byte after "/"
		for i := range foldersAtOnce {
			args = append(args, []byte(nil))
			if i < len(folders) {
				args[3+i] = []byte(folders[i])
			}
		}
		var other refname.Name
		err := t.q.one(ctx, selectConflict, args, &other)
		folders = folders[min(foldersAtOnce, len(folders)):]
		if !errors.Is(err, errNoRow) || len(folders) == 0 {
			return other, rowError(err, "a ref in the way of", name)
		}
	}
}

// foldersOf returns what is a folder when there is a ref of this name: for
// refs/heads/a/b that is refs/heads/a, refs/heads and refs.
func foldersOf(name refname.Name) []string {
	var all []string
	for s := string(name); ; {
		i := strings.LastIndexByte(s, '/')
		if i < 0 {
			return all
		}
		s = s[:i]
		all = append(all, s)
	}
}

// SwapRef is a compare-and-swap by row count. A deleted ref keeps its row, without an
// object ID, so a ref is created where there is no row or such a row.
func (t codecommitTx) SwapRef(ctx context.Context, id repo.ID, gen int64, m codecommit.RefMove) error {
	var ok bool
	var err error
	if m.Old.IsZero() {
		ok, err = t.q.swap(ctx,
			`INSERT INTO ref (repo_id, name, oid, peeled, gen) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (repo_id, name) DO UPDATE SET oid = excluded.oid, peeled = excluded.peeled, gen = excluded.gen
			WHERE ref.oid IS NULL`,
			id, refArg(m.Ref), oidArg(m.New), oidArg(m.Peeled), gen)
	} else {
		ok, err = t.q.swap(ctx,
			`UPDATE ref SET oid = $4, peeled = $5, gen = $6 WHERE repo_id = $1 AND name = $2 AND oid = $3`,
			id, refArg(m.Ref), oidArg(m.Old), oidArg(m.New), oidArg(m.Peeled), gen)
	}
	switch {
	case err != nil:
		return fmt.Errorf("swap ref %s: %w", m.Ref, err)
	case !ok:
		return fmt.Errorf("swap ref %s: %w", m.Ref, codecommit.ErrStale)
	}
	return nil
}

func (t codecommitTx) AppendRefEvents(ctx context.Context, id repo.ID, events []codecommit.RefEvent) error {
	for _, e := range events {
		_, err := t.q.exec(ctx,
			`INSERT INTO ref_event (repo_id, gen, seq, ref, old_oid, new_oid, peeled, principal, operation, request_id, at)
			VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM ref_event WHERE repo_id = $1 AND gen = $2),
				$3, $4, $5, $6, $7, $8, $9, $10)`,
			id, e.Gen, refArg(e.Move.Ref), oidArg(e.Move.Old), oidArg(e.Move.New), oidArg(e.Move.Peeled),
			e.Principal, e.Operation, e.RequestID, millis(e.At))
		if err != nil {
			return rowError(err, "log the move of", e.Move.Ref)
		}
	}
	return nil
}

const selectRefEvents = `SELECT gen, ref, old_oid, new_oid, peeled, principal, operation, request_id, at FROM ref_event
	WHERE repo_id = $1 AND ref = $2 ORDER BY gen DESC, seq DESC LIMIT $3`

func (t codecommitTx) RefEvents(ctx context.Context, id repo.ID, name refname.Name, limit int) ([]codecommit.RefEvent, error) {
	return collect(ctx, t.q, func(scan func(...any) error) (e codecommit.RefEvent, err error) {
		var at int64
		err = scan(&e.Gen, &e.Move.Ref, oidColumn{&e.Move.Old}, oidColumn{&e.Move.New}, oidColumn{&e.Move.Peeled},
			&e.Principal, &e.Operation, &e.RequestID, &at)
		e.At = fromMillis(at)
		return e, err
	}, selectRefEvents, id, refArg(name), limit)
}
