package sqlstore

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/policy"
)

// DecisionFilter selects decisions of one account. What is zero selects everything.
type DecisionFilter struct {
	Account   string
	From      time.Time // inclusive, to the millisecond
	To        time.Time // exclusive
	Principal string    // ARN
	Action    string    // as IAM spells it
	Outcome   *policy.Outcome

	After string // the Cursor of the last decision of the page before
	Limit int
}

// Decision is a row of the decision log.
type Decision struct {
	Seq   int64 // place in the account's chain
	Entry authz.Entry
}

// Cursor is what DecisionFilter.After holds after this decision.
func (d Decision) Cursor() string {
	return strconv.FormatInt(millis(d.Entry.Time), 10) + "/" + strconv.FormatInt(d.Seq, 10)
}

// Each text asks first for what has an index with the time; the rest is compared.
const (
	selectDecisions = `SELECT seq, entry FROM decision WHERE account_id = $1 AND at >= $2 AND (at, seq) < ($3, $4)`
	anyPrincipal    = ` AND ($5 = '' OR principal = $5)`
	anyAction       = ` AND ($6 = '' OR action = $6)`
	anyOutcome      = ` AND ($7 = '' OR outcome = $7)`
	newestDecisions = ` ORDER BY at DESC, seq DESC LIMIT $8`

	decisionsByTime      = selectDecisions + anyPrincipal + anyAction + anyOutcome + newestDecisions
	decisionsByPrincipal = selectDecisions + ` AND principal = $5` + anyAction + anyOutcome + newestDecisions
	decisionsByAction    = selectDecisions + anyPrincipal + ` AND action = $6` + anyOutcome + newestDecisions
	decisionsByOutcome   = selectDecisions + anyPrincipal + anyAction + ` AND outcome = $7` + newestDecisions
)

func (f DecisionFilter) query() string {
	switch {
	case f.Principal != "":
		return decisionsByPrincipal
	case f.Action != "":
		return decisionsByAction
	case f.Outcome != nil && *f.Outcome != policy.Allow: // most are allowed
		return decisionsByOutcome
	default:
		return decisionsByTime
	}
}

// Query lists decisions, the newest first. Entries that nobody waited for show some
// milliseconds after they were appended.
func (d *Decisions) Query(ctx context.Context, f DecisionFilter) (all []Decision, err error) {
	at, seq, err := f.before()
	if err != nil {
		return nil, err
	}
	from := int64(math.MinInt64)
	if !f.From.IsZero() {
		from = millis(f.From)
	}
	outcome := ""
	if f.Outcome != nil {
		outcome = f.Outcome.String()
	}
	err = d.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		all, err = collect(ctx, q, func(scan func(...any) error) (row Decision, err error) {
			var entry []byte
			if err := scan(&row.Seq, &entry); err != nil {
				return row, err
			}
			row.Entry, err = parseDecision(entry)
			return row, err
		}, f.query(), f.Account, from, at, seq, f.Principal, f.Action, outcome, f.Limit)
		return err
	})
	return all, err
}

// before returns the place that every row of the page comes before.
func (f DecisionFilter) before() (at, seq int64, err error) {
	at = math.MaxInt64
	if !f.To.IsZero() {
		at = millis(f.To)
	}
	if f.After == "" {
		return at, 0, nil
	}
	first, second, _ := strings.Cut(f.After, "/")
	afterAt, err := strconv.ParseInt(first, 10, 64)
	if err == nil {
		seq, err = strconv.ParseInt(second, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("list decisions: %q is not a cursor: %w", f.After, err)
	}
	if afterAt >= at {
		return at, 0, nil
	}
	return afterAt, seq, nil
}
