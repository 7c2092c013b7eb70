package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/policy"
)

// ErrTampered is what a [BrokenChain] is.
var ErrTampered = errors.New("the decision log was tampered with")

// BrokenChain is what [Decisions.Verify] found: the first row that is not as it was
// written.
type BrokenChain struct {
	Account string
	Seq     int64
	Reason  string
}

// Error says which row, and what is wrong with it.
func (b *BrokenChain) Error() string {
	return fmt.Sprintf("%v: row %d of account %s %s", ErrTampered, b.Seq, b.Account, b.Reason)
}

// Is makes every BrokenChain an [ErrTampered].
func (b *BrokenChain) Is(target error) bool { return target == ErrTampered }

// Head is the end of an account's chain. Noted somewhere else, it lets Verify see also
// that the end was cut off, or that the whole was written anew. The zero Head is the
// beginning of every chain.
type Head struct {
	Seq  int64
	Hash [sha256.Size]byte
}

// next returns the end of the chain after one more row.
func (h Head) next(account string, entry []byte) Head {
	sum := sha256.New()
	sum.Write(h.Hash[:])
	place := binary.BigEndian.AppendUint64(nil, uint64(h.Seq+1))
	place = binary.BigEndian.AppendUint64(place, uint64(len(account)))
	sum.Write(append(place, account...))
	sum.Write(entry)
	return Head{Seq: h.Seq + 1, Hash: [sha256.Size]byte(sum.Sum(nil))}
}

// decisionRow is a row before it has its place in the chain.
type decisionRow struct {
	account   string
	at        int64
	principal string
	action    string
	outcome   string
	entry     []byte
}

// decisionJSON is the form of an entry in the database. Members are never renamed, or
// older rows would read as empty.
type decisionJSON struct {
	Time       time.Time       `json:"time"`
	RequestID  string          `json:"requestId,omitempty"`
	Account    string          `json:"account"`
	Principal  string          `json:"principal"`
	UserID     string          `json:"userId,omitempty"`
	Credential credentialJSON  `json:"credential"`
	SourceIP   string          `json:"sourceIp,omitempty"`
	Action     string          `json:"action"`
	Resource   string          `json:"resource"`
	Values     []conditionJSON `json:"values,omitempty"`
	Outcome    string          `json:"outcome"`
	Reason     string          `json:"reason,omitempty"`
	Policies   []string        `json:"policies,omitempty"`
	Durable    bool            `json:"durable,omitempty"`
}

type credentialJSON struct {
	Kind string `json:"kind,omitempty"`
	ID   string `json:"id,omitempty"`
}

type conditionJSON struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

func newDecisionRow(e authz.Entry) (decisionRow, error) {
	j := decisionJSON{Time: e.Time.UTC(), RequestID: e.RequestID, Account: e.Account, Principal: e.Principal, UserID: e.UserID,
		Credential: credentialJSON(e.Credential), SourceIP: e.SourceIP, Action: e.Action, Resource: e.Resource,
		Outcome: e.Outcome.String(), Reason: e.Reason, Policies: e.Policies, Durable: e.Durable}
	for _, v := range e.Values {
		j.Values = append(j.Values, conditionJSON(v))
	}
	entry, err := json.Marshal(j)
	if err != nil {
		return decisionRow{}, fmt.Errorf("write a decision as JSON: %w", err)
	}
	r := decisionRow{account: e.Account, at: millis(e.Time), principal: e.Principal, action: e.Action, outcome: j.Outcome, entry: entry}
	if !utf8.ValidString(r.account) || !utf8.ValidString(r.principal) || !utf8.ValidString(r.action) {
		// JSON has replaced bytes, and Verify wants the columns to agree with it.
		return parseDecisionRow(entry)
	}
	return r, nil
}

// parseDecisionRow makes a row of an entry's JSON.
func parseDecisionRow(entry []byte) (decisionRow, error) {
	var j decisionJSON
	if err := json.Unmarshal(entry, &j); err != nil {
		return decisionRow{}, fmt.Errorf("read a decision: %w", err)
	}
	return decisionRow{account: j.Account, at: millis(j.Time), principal: j.Principal, action: j.Action, outcome: j.Outcome, entry: entry}, nil
}

func parseDecision(entry []byte) (e authz.Entry, err error) {
	var j decisionJSON
	if err := json.Unmarshal(entry, &j); err != nil {
		return e, fmt.Errorf("read a decision: %w", err)
	}
	e = authz.Entry{Time: j.Time, RequestID: j.RequestID, Account: j.Account, Principal: j.Principal, UserID: j.UserID,
		Credential: authz.Credential(j.Credential), SourceIP: j.SourceIP, Action: j.Action, Resource: j.Resource,
		Reason: j.Reason, Policies: j.Policies, Durable: j.Durable}
	for _, v := range j.Values {
		e.Values = append(e.Values, authz.Value(v))
	}
	for _, o := range []policy.Outcome{policy.ImplicitDeny, policy.ExplicitDeny, policy.Allow} {
		if o.String() == j.Outcome {
			e.Outcome = o
			return e, nil
		}
	}
	return e, fmt.Errorf("read a decision: %q is not an outcome", j.Outcome)
}

// appendDecisions gives each row its place and commits all of them.
func (db *DB) appendDecisions(ctx context.Context, rows []decisionRow) error {
	return db.append(ctx, func(ctx context.Context, q querier) error {
		heads := map[string]Head{}
		for _, r := range rows {
			head, known := heads[r.account]
			if !known {
				var err error
				if head, err = readHead(ctx, q, r.account); err != nil {
					return err
				}
			}
			head = head.next(r.account, r.entry)
			heads[r.account] = head
			_, err := q.exec(ctx,
				`INSERT INTO decision (account_id, seq, hash, at, principal, action, outcome, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				r.account, head.Seq, head.Hash[:], r.at, r.principal, r.action, r.outcome, r.entry)
			if err != nil {
				return fmt.Errorf("add decision %d of account %s: %w", head.Seq, r.account, err)
			}
		}
		return nil
	})
}

// readHead returns the end of an account's chain, or the zero Head before its first row.
func readHead(ctx context.Context, q querier, account string) (h Head, err error) {
	var hash []byte
	err = q.one(ctx, `SELECT seq, hash FROM decision WHERE account_id = $1 ORDER BY seq DESC LIMIT 1`, []any{account}, &h.Seq, &hash)
	switch {
	case errors.Is(err, errNoRow):
		return Head{}, nil
	case err != nil:
		return Head{}, fmt.Errorf("read the end of account %s's decisions: %w", account, err)
	}
	copy(h.Hash[:], hash) // of another length only after tampering, which Verify reports
	return h, nil
}

// Head returns the end of an account's chain as it is committed.
func (d *Decisions) Head(ctx context.Context, account string) (h Head, err error) {
	err = d.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		h, err = readHead(ctx, q, account)
		return err
	})
	return h, err
}

// verifiedAtOnce is how many rows one snapshot of Verify reads: a snapshot that is held
// for long keeps the write-ahead log from being reused.
const verifiedAtOnce = 1000

// Verify walks an account's chain. It answers a [BrokenChain] for the first row that was
// changed, removed or slipped in, or that differs from a head noted earlier.
func (d *Decisions) Verify(ctx context.Context, account string, noted ...Head) error {
	want := map[int64]Head{}
	var last int64
	for _, h := range noted {
		want[h.Seq] = h
		last = max(last, h.Seq)
	}
	var head Head
	after := int64(math.MinInt64) // also before the first place nothing may be slipped in
	for {
		rows, err := d.chain(ctx, account, after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			expected := head.next(account, r.entry)
			if reason := r.fault(expected); reason != "" {
				return &BrokenChain{Account: account, Seq: expected.Seq, Reason: reason}
			}
			head = expected
			if n, ok := want[head.Seq]; ok && n != head {
				return &BrokenChain{Account: account, Seq: head.Seq, Reason: "is not the one that was noted"}
			}
		}
		after = head.Seq
		switch {
		case len(rows) == verifiedAtOnce:
		case head.Seq < last:
			return &BrokenChain{Account: account, Seq: head.Seq + 1, Reason: "is missing, and everything after it"}
		default:
			return nil
		}
	}
}

// chainRow is a row with what the database says of its place.
type chainRow struct {
	decisionRow
	seq  int64
	hash []byte
}

// fault says what is wrong with a row at this place, or nothing.
func (r chainRow) fault(expected Head) string {
	if r.seq != expected.Seq {
		return "is missing"
	}
	if string(r.hash) != string(expected.Hash[:]) {
		return "was changed, or does not follow the one before it"
	}
	said, err := parseDecisionRow(r.entry)
	if err != nil {
		return "is not a decision"
	}
	if said.at != r.at || said.principal != r.principal || said.action != r.action || said.outcome != r.outcome || said.account != r.account {
		return "is filed under what it does not say"
	}
	return ""
}

func (d *Decisions) chain(ctx context.Context, account string, after int64) (rows []chainRow, err error) {
	err = d.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		rows, err = collect(ctx, q, func(scan func(...any) error) (r chainRow, err error) {
			r.account = account
			return r, scan(&r.seq, &r.hash, &r.at, &r.principal, &r.action, &r.outcome, &r.entry)
		}, `SELECT seq, hash, at, principal, action, outcome, entry FROM decision
			WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, account, after, verifiedAtOnce)
		return err
	})
	return rows, err
}
