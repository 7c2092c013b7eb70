package authz

import (
	"context"
	"time"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

// Entry is one decision in the decision log.
type Entry struct {
	Time       time.Time
	RequestID  string
	Account    string
	Principal  string // ARN
	UserID     string
	Credential Credential
	SourceIP   string // empty when unknown
	Action     string
	Resource   string // ARN or "*"
	Values     []Value
	Outcome    policy.Outcome
	Reason     string   // one line
	Policies   []string // digests of the policies that were evaluated, sorted

	// Durable asks that the entry be on disk before Append returns. It is set for
	// every action that is not a read, unless its check only asks, so that no change
	// happens unlogged.
	Durable bool
}

// Log keeps decisions. Append keeps the order of entries of one call; entries of
// concurrent calls are ordered by the log. When an entry is Durable, Append returns
// only after it can survive a crash; otherwise the log may still hold it in memory,
// in bounded number, blocking when full. A log never drops an entry. An error means
// that the entries may be missing, and the caller must refuse what it was about to do.
// Safe for concurrent use.
type Log interface {
	Append(ctx context.Context, entries ...Entry) error
}

// entry records one decision.
func entry(c Caller, check Check, req *policy.Request, exp *policy.Explanation, now time.Time) Entry {
	e := Entry{
		Time:       now,
		RequestID:  c.RequestID,
		Account:    c.Principal.Account,
		Principal:  c.Principal.ARN.String(),
		UserID:     c.Principal.UserID,
		Credential: c.Credential,
		Action:     check.Action,
		Resource:   req.Resource,
		Values:     check.Values,
		Outcome:    exp.Outcome(),
		Reason:     exp.Line(),
		Policies:   exp.Digests(),
		Durable:    !check.Asks,
	}
	if c.SourceIP.IsValid() {
		e.SourceIP = c.SourceIP.String()
	}
	if a, ok := catalog.Lookup(check.Action); ok && a.Access.Reads() {
		e.Durable = false
	}
	return e
}
