package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/policy"
)

const logAccount = "111122223333"

var logTime = time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC)

// logEntry is an entry that can be told from others by its number.
func logEntry(n int, durable bool) authz.Entry {
	return authz.Entry{Time: logTime, Account: logAccount, RequestID: strconv.Itoa(n), Principal: "arn:aws:iam::111122223333:user/dev",
		Action: "codecommit:GitPush", Resource: "*", Outcome: policy.Allow, Durable: durable}
}

func openLog(t *testing.T, db *DB) *Decisions {
	t.Helper()
	d := db.OpenDecisions(t.Context(), slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the log: %v", err)
		}
	})
	return d
}

func mustAppend(t *testing.T, d *Decisions, entries ...authz.Entry) {
	t.Helper()
	if err := d.Append(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

// logged returns the request IDs in the order of the chain.
func logged(t *testing.T, db *DB) (ids []string) {
	t.Helper()
	d := &Decisions{db: db}
	all, err := d.Query(t.Context(), DecisionFilter{Account: logAccount, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Decision) int { return int(a.Seq - b.Seq) })
	for i, row := range all {
		if row.Seq != int64(i+1) {
			t.Fatalf("row %d has place %d", i+1, row.Seq)
		}
		ids = append(ids, row.Entry.RequestID)
	}
	return ids
}

func TestDecisionRoundTrip(t *testing.T) {
	d := openLog(t, openTest(t))
	want := authz.Entry{
		Time: logTime, RequestID: "r", Account: logAccount, Principal: "arn:aws:iam::111122223333:user/dev", UserID: "AIDA1",
		Credential: authz.Credential{Kind: "access-key", ID: "AKIA1"}, SourceIP: "::1", Action: "codecommit:GitPush",
		Resource: "arn:aws:codecommit:us-east-1:111122223333:payments",
		Values:   []authz.Value{{Key: "codecommit:References", Values: []string{"refs/heads/<main>\u2028"}}, {Key: "k", Values: []string{"a", "b"}}},
		Outcome:  policy.ExplicitDeny, Reason: "policy Guard, statement 2", Policies: []string{"d1", "d2"}, Durable: true,
	}
	bare := authz.Entry{Account: logAccount, Durable: true}
	mustAppend(t, d, want, bare)
	got, err := d.Query(t.Context(), DecisionFilter{Account: logAccount, Limit: 10})
	if diff := cmp.Diff([]Decision{{Seq: 1, Entry: want}, {Seq: 2, Entry: bare}}, got); diff != "" || err != nil {
		t.Errorf("decisions: %v (-want +got):\n%s", err, diff)
	}
	odd := want
	odd.Principal, odd.Action = "not \xff UTF-8", "\xfe"
	mustAppend(t, d, odd)
	if err := d.Verify(t.Context(), logAccount); err != nil {
		t.Errorf("verify: %v", err)
	}
}

// TestDurableIsCommitted: when Append of a durable entry has returned, another reader of
// the file sees it, and everything that was appended before it.
func TestDurableIsCommitted(t *testing.T) {
	dir := t.TempDir()
	d := openLog(t, openAt(t, dir))
	mustAppend(t, d, logEntry(1, false))
	mustAppend(t, d, logEntry(2, false), logEntry(3, true), logEntry(4, false))
	if diff := cmp.Diff([]string{"1", "2", "3", "4"}, logged(t, openAt(t, dir))); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
}

// TestHeldBack: an entry that nobody waits for is written after ten milliseconds, and at
// once together with one that somebody waits for.
func TestHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		type write struct {
			At   time.Duration
			Rows int
		}
		writes := make(chan write, 10)
		d := openDecisions(t.Context(), nil, slog.New(slog.DiscardHandler), func(_ context.Context, rows []decisionRow) error {
			writes <- write{time.Since(start), len(rows)}
			return nil
		})
		mustAppend(t, d, logEntry(1, false))
		time.Sleep(6 * time.Millisecond)
		mustAppend(t, d, logEntry(2, false))
		if diff := cmp.Diff(write{10 * time.Millisecond, 2}, <-writes); diff != "" {
			t.Errorf("held back (-want +got):\n%s", diff)
		}
		mustAppend(t, d, logEntry(3, false))
		time.Sleep(4 * time.Millisecond)
		mustAppend(t, d, logEntry(4, true))
		if diff := cmp.Diff(write{14 * time.Millisecond, 2}, <-writes); diff != "" {
			t.Errorf("with a durable one (-want +got):\n%s", diff)
		}
		mustAppend(t, d, logEntry(5, false))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(write{14 * time.Millisecond, 1}, <-writes); diff != "" {
			t.Errorf("when closed (-want +got):\n%s", diff)
		}
	})
}

// TestGroupCommit: callers who come while a commit is under way share the next one.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 50
		var commits atomic.Int32
		d := openDecisions(t.Context(), nil, slog.New(slog.DiscardHandler), func(context.Context, []decisionRow) error {
			commits.Add(1)
			time.Sleep(5 * time.Millisecond) // the flush
			return nil
		})
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() { mustAppend(t, d, logEntry(i, true)) })
		}
		wg.Wait()
		if n := commits.Load(); n > 3 {
			t.Errorf("%d callers caused %d commits", callers, n)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAppendConcurrently(t *testing.T) {
	db := openTest(t)
	d := openLog(t, db)
	const callers, each = 8, 40
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				n := 1000*c + 2*i
				mustAppend(t, d, logEntry(n, i%3 == 0), logEntry(n+1, false))
			}
		})
	}
	wg.Wait()
	mustAppend(t, d, logEntry(-1, true))
	var got [callers][]int
	for _, id := range logged(t, db) {
		n, err := strconv.Atoi(id)
		if err != nil {
			t.Fatal(err)
		}
		if n >= 0 {
			got[n/1000] = append(got[n/1000], n%1000)
		}
	}
	for c := range callers {
		if len(got[c]) != 2*each || !slices.IsSorted(got[c]) {
			t.Errorf("caller %d appended 0 to %d in order; logged: %v", c, 2*each-1, got[c])
		}
	}
	if err := d.Verify(t.Context(), logAccount); err != nil {
		t.Errorf("verify: %v", err)
	}
}

// TestFailedCommit: who waits is told, nothing is dropped, the order stays.
func TestFailedCommit(t *testing.T) {
	db := openTest(t)
	full := errors.New("the disk is full")
	var failing atomic.Bool
	failing.Store(true)
	d := openDecisions(t.Context(), db, slog.New(slog.DiscardHandler), func(ctx context.Context, rows []decisionRow) error {
		if failing.Load() {
			return full
		}
		return db.appendDecisions(ctx, rows)
	})
	mustAppend(t, d, logEntry(1, false))
	if err := d.Append(t.Context(), logEntry(2, true), logEntry(3, false)); !errors.Is(err, full) {
		t.Errorf("a durable entry answered %v, want the failure", err)
	}
	mustAppend(t, d, logEntry(4, false))
	if err := d.Append(t.Context(), logEntry(5, true)); !errors.Is(err, full) {
		t.Errorf("the next durable entry answered %v, want the failure", err)
	}
	failing.Store(false)
	mustAppend(t, d, logEntry(6, true))
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5", "6"}, logged(t, db)); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
	if err := d.Verify(t.Context(), logAccount); err != nil {
		t.Errorf("verify: %v", err)
	}
}

// TestFailedInTheMiddle: a commit that fails at one of its rows leaves none of them, and
// their places are given again.
func TestFailedInTheMiddle(t *testing.T) {
	db := openTest(t)
	d := openLog(t, db)
	mustAppend(t, d, logEntry(1, true))
	tamper(t, db, "CREATE UNIQUE INDEX in_the_way ON decision (action)")
	rows := make([]decisionRow, 3)
	for i := range rows {
		e := logEntry(10+i, true)
		e.Action = []string{"a", "b", "codecommit:GitPush"}[i]
		var err error
		if rows[i], err = newDecisionRow(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.appendDecisions(t.Context(), rows); !errors.Is(err, errUnique) {
		t.Errorf("append answered %v", err)
	}
	tamper(t, db, "DROP INDEX in_the_way")
	mustAppend(t, d, logEntry(2, true))
	if diff := cmp.Diff([]string{"1", "2"}, logged(t, db)); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
	if err := d.Verify(t.Context(), logAccount); err != nil {
		t.Errorf("verify: %v", err)
	}
}

// TestFullQueueBlocks: a log that cannot be written takes no more than it has room for.
func TestFullQueueBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		var failing atomic.Bool
		failing.Store(true)
		var written atomic.Int64
		d := openDecisions(t.Context(), nil, slog.New(slog.DiscardHandler), func(_ context.Context, rows []decisionRow) error {
			if failing.Load() {
				return down
			}
			written.Add(int64(len(rows)))
			return nil
		})
		accepted := int64(0)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := d.Append(ctx, logEntry(0, false))
			cancel()
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a full log answered %v", err)
				}
				break
			}
			accepted++
		}
		if accepted != maxPendingDecisions {
			t.Errorf("%d entries were accepted, want %d", accepted, maxPendingDecisions)
		}
		failing.Store(false)
		mustAppend(t, d, logEntry(0, true))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if got := written.Load(); got != accepted+1 {
			t.Errorf("%d of %d accepted entries were written", got, accepted+1)
		}
	})
}

// TestCloseWhileAppending: every entry that was accepted is there, and every other one
// was refused.
func TestCloseWhileAppending(t *testing.T) {
	db := openTest(t)
	d := openLog(t, db)
	const callers = 8
	var accepted sync.Map
	var wg sync.WaitGroup
	begun := make(chan struct{}, callers)
	for c := range callers {
		wg.Go(func() {
			for i := 0; ; i++ {
				n := 10_000*c + i
				if err := d.Append(t.Context(), logEntry(n, i%5 == 0)); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Errorf("append answered %v, want ErrClosed", err)
					}
					return
				}
				accepted.Store(strconv.Itoa(n), true)
				if i == 10 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range callers {
		<-begun
	}
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
	for _, id := range logged(t, db) {
		accepted.Delete(id)
	}
	accepted.Range(func(id, _ any) bool {
		t.Errorf("entry %v was accepted and is not there", id)
		return true
	})
	if err := d.Append(t.Context(), logEntry(1, false)); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a closed log answered %v", err)
	}
}

// TestCloseTellsOfLoss: closing ends also when nothing can be written, and says so.
func TestCloseTellsOfLoss(t *testing.T) {
	down := errors.New("down")
	d := openDecisions(t.Context(), nil, slog.New(slog.DiscardHandler), func(context.Context, []decisionRow) error { return down })
	mustAppend(t, d, logEntry(1, false))
	for range 2 {
		if err := d.Close(); !errors.Is(err, down) {
			t.Errorf("close answered %v, want the reason of the loss", err)
		}
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	const rows = 5
	for name, c := range map[string]struct {
		sql string
		seq int64 // the row that is named
	}{
		"nothing":                     {"UPDATE decision SET at = at", 0},
		"another outcome":             {"UPDATE decision SET outcome = 'allow', entry = CAST(replace(CAST(entry AS TEXT), 'explicitDeny', 'allow') AS BLOB) WHERE seq = 3", 3},
		"another outcome, by index":   {"UPDATE decision SET outcome = 'implicitDeny' WHERE seq = 3", 3},
		"another principal":           {"UPDATE decision SET principal = 'x' WHERE seq = 2", 2},
		"another action":              {"UPDATE decision SET action = 'x' WHERE seq = 2", 2},
		"another time":                {"UPDATE decision SET at = at - 1 WHERE seq = 4", 4},
		"another hash":                {"UPDATE decision SET hash = zeroblob(32) WHERE seq = 1", 1},
		"no entry":                    {"UPDATE decision SET entry = x'' WHERE seq = 5", 5},
		"removed":                     {"DELETE FROM decision WHERE seq = 3", 3},
		"the first removed":           {"DELETE FROM decision WHERE seq = 1", 1},
		"the end cut off":             {"DELETE FROM decision WHERE seq >= 4", 4},
		"all removed":                 {"DELETE FROM decision", 1},
		"removed and closed up":       {"DELETE FROM decision WHERE seq = 3; UPDATE decision SET seq = seq - 1 WHERE seq > 3", 3},
		"swapped":                     {"UPDATE decision SET seq = -seq WHERE seq IN (2, 3); UPDATE decision SET seq = 5 + seq WHERE seq < 0", 2},
		"slipped in at the end":       {"INSERT INTO decision SELECT account_id, 6, hash, at, principal, action, outcome, entry FROM decision WHERE seq = 5", 6},
		"slipped in before the first": {"INSERT INTO decision SELECT account_id, 0, hash, at, principal, action, outcome, entry FROM decision WHERE seq = 5", 1},
		"slipped in far before":       {"INSERT INTO decision SELECT account_id, -7, hash, at, principal, action, outcome, entry FROM decision WHERE seq = 5", 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTest(t)
			d := openLog(t, db)
			for i := range rows {
				e := logEntry(i, true)
				e.Outcome = policy.ExplicitDeny
				mustAppend(t, d, e)
			}
			noted, err := d.Head(t.Context(), logAccount)
			if err != nil || noted.Seq != rows {
				t.Fatalf("head is %+v, %v", noted, err)
			}
			tamper(t, db, c.sql)
			err = d.Verify(t.Context(), logAccount, Head{}, noted)
			broken, _ := errors.AsType[*BrokenChain](err)
			switch {
			case c.seq == 0 && err != nil:
				t.Errorf("verify answered %v", err)
			case c.seq != 0 && (broken == nil || broken.Seq != c.seq || !errors.Is(err, ErrTampered)):
				t.Errorf("verify answered %v, want row %d", err, c.seq)
			}
		})
	}
}

// tamper changes the file as somebody would who has it: with a connection of their own.
func tamper(t *testing.T, db *DB, statements string) {
	t.Helper()
	s, err := db.writer.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.conn.ExecContext(t.Context(), statements)
	db.writer.put(s, err)
	if err != nil {
		t.Fatal(err)
	}
}

// TestVerifyFindsARewrittenChain: who can compute hashes can write a whole chain anew;
// it is not the one whose head was noted.
func TestVerifyFindsARewrittenChain(t *testing.T) {
	db := openTest(t)
	d := openLog(t, db)
	for i := range 3 {
		mustAppend(t, d, logEntry(i, true))
	}
	noted, err := d.Head(t.Context(), logAccount)
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, db, "DELETE FROM decision")
	for i := range 6 {
		mustAppend(t, d, logEntry(100+i, true))
	}
	if err := d.Verify(t.Context(), logAccount); err != nil {
		t.Errorf("without a noted head: %v", err)
	}
	broken, _ := errors.AsType[*BrokenChain](d.Verify(t.Context(), logAccount, noted))
	if broken == nil || broken.Seq != noted.Seq {
		t.Errorf("with a noted head: %v, want row %d", broken, noted.Seq)
	}
}

// TestVerifyLongChain: rows are read in portions.
func TestVerifyLongChain(t *testing.T) {
	d := openLog(t, openTest(t))
	entries := make([]authz.Entry, 2*verifiedAtOnce)
	for i := range entries {
		entries[i] = logEntry(i, true)
	}
	mustAppend(t, d, entries...)
	head, err := d.Head(t.Context(), logAccount)
	if err != nil || head.Seq != int64(len(entries)) {
		t.Fatalf("head is %+v, %v", head, err)
	}
	if err := d.Verify(t.Context(), logAccount, head); err != nil {
		t.Errorf("verify: %v", err)
	}
	tamper(t, d.db, fmt.Sprintf("DELETE FROM decision WHERE seq = %d", 2*verifiedAtOnce))
	broken, _ := errors.AsType[*BrokenChain](d.Verify(t.Context(), logAccount, head))
	if broken == nil || broken.Seq != head.Seq {
		t.Errorf("the last row is gone: %v", broken)
	}
}

func TestChainsApart(t *testing.T) {
	d := openLog(t, openTest(t))
	other := logEntry(2, true)
	other.Account = "444455556666"
	mustAppend(t, d, logEntry(1, true), other, logEntry(3, true))
	for account, want := range map[string]int64{logAccount: 2, other.Account: 1, "999999999999": 0} {
		head, err := d.Head(t.Context(), account)
		if head.Seq != want || err != nil {
			t.Errorf("account %s has %d rows (%v), want %d", account, head.Seq, err, want)
		}
		if err := d.Verify(t.Context(), account, head); err != nil {
			t.Errorf("verify account %s: %v", account, err)
		}
	}
	got, err := d.Query(t.Context(), DecisionFilter{Account: other.Account, Limit: 10})
	if diff := cmp.Diff([]Decision{{Seq: 1, Entry: other}}, got); diff != "" || err != nil {
		t.Errorf("the other account's: %v (-want +got):\n%s", err, diff)
	}
}

// TestQueryModel compares every filter, read page by page, with a loop in memory.
func TestQueryModel(t *testing.T) {
	d := openLog(t, openTest(t))
	var all []Decision
	for i := range 120 {
		e := logEntry(i, true)
		e.Time = logTime.Add(time.Duration(i*7%20) * time.Millisecond) // not in the order of the chain
		e.Principal = []string{"arn:a", "arn:b", "ARN:A"}[i%3]
		e.Action = []string{"codecommit:GitPush", "codecommit:GitPull"}[i/3%2]
		e.Outcome = []policy.Outcome{policy.Allow, policy.Allow, policy.ImplicitDeny, policy.ExplicitDeny}[i%4]
		all = append(all, Decision{Seq: int64(i + 1), Entry: e})
		mustAppend(t, d, e)
	}
	slices.SortFunc(all, func(a, b Decision) int {
		if am, bm := millis(a.Entry.Time), millis(b.Entry.Time); am != bm {
			return int(bm - am)
		}
		return int(b.Seq - a.Seq)
	})
	moment := rapid.Custom(func(rt *rapid.T) time.Time {
		if rapid.Bool().Draw(rt, "open") {
			return time.Time{}
		}
		return logTime.Truncate(time.Millisecond).Add(time.Duration(rapid.IntRange(-1, 21).Draw(rt, "ms")) * time.Millisecond)
	})
	rapid.Check(t, func(rt *rapid.T) {
		f := DecisionFilter{
			Account:   logAccount,
			From:      moment.Draw(rt, "from"),
			To:        moment.Draw(rt, "to"),
			Principal: rapid.SampledFrom([]string{"", "arn:a", "arn:c"}).Draw(rt, "principal"),
			Action:    rapid.SampledFrom([]string{"", "codecommit:GitPull"}).Draw(rt, "action"),
			Outcome:   rapid.SampledFrom([]*policy.Outcome{nil, new(policy.Allow), new(policy.ImplicitDeny), new(policy.ExplicitDeny)}).Draw(rt, "outcome"),
			Limit:     rapid.IntRange(1, 50).Draw(rt, "limit"),
		}
		var want, got []Decision
		for _, row := range all {
			e := row.Entry
			if (f.From.IsZero() || !e.Time.Before(f.From)) && (f.To.IsZero() || e.Time.Before(f.To)) && (f.Principal == "" || e.Principal == f.Principal) &&
				(f.Action == "" || e.Action == f.Action) && (f.Outcome == nil || e.Outcome == *f.Outcome) {
				want = append(want, row)
			}
		}
		for {
			page, err := d.Query(t.Context(), f)
			if err != nil {
				rt.Fatal(err)
			}
			got = append(got, page...)
			if len(page) < f.Limit || len(got) > len(want) {
				break
			}
			f.After = page[len(page)-1].Cursor()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("%+v (-want +got):\n%s", f, diff)
		}
	})
	for _, cursor := range []string{"x", "1", "/1", "1/x"} {
		if _, err := d.Query(t.Context(), DecisionFilter{Account: logAccount, After: cursor, Limit: 1}); err == nil {
			t.Errorf("the cursor %q was accepted", cursor)
		}
	}
}
