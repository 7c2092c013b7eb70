package validate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/refward/refward/policy"
)

// Severity is how bad a finding is, in the words of IAM Access Analyzer.
type Severity uint8

// The severities, the worst last.
const (
	Suggestion      Severity = iota + 1 // says the same in a better way
	Warning                             // has no effect, or one that its author cannot have meant
	SecurityWarning                     // lets through what it seems to stop
	Error                               // the document cannot be saved
)

// String returns the severity as Access Analyzer spells it.
func (s Severity) String() string {
	names := [...]string{"UNKNOWN", "SUGGESTION", "WARNING", "SECURITY_WARNING", "ERROR"}
	if int(s) < len(names) {
		return names[s]
	}
	return names[0]
}

// MarshalText is [Severity.String].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is one thing to know about a document.
type Finding struct {
	Severity Severity        `json:"severity"`
	Code     Code            `json:"code"`
	Start    policy.Position `json:"start"`
	End      policy.Position `json:"end"`     // after the last byte
	Pointer  string          `json:"pointer"` // JSON pointer (RFC 6901); "" is the whole document
	Message  string          `json:"message"`
	Mend     *Mend           `json:"mend,omitempty"`

	start, end int // byte offsets
}

// String returns one line: place, severity, code and message.
func (f *Finding) String() string {
	return fmt.Sprintf("%s %s %s: %s", f.Start, f.Severity, f.Code, f.Message)
}

// Mend is how to repair what a finding found.
type Mend struct {
	Text  string `json:"text"`            // for people
	Edits []Edit `json:"edits,omitempty"` // for machines; none when a person must choose
}

// Edit replaces the bytes from Start to End of a document by New.
type Edit struct {
	Start int    `json:"start"` // byte offset
	End   int    `json:"end"`   // byte offset; Start of an insertion
	New   string `json:"new"`
}

// Apply makes edits to a document and returns the new text. Edits that overlap or lie
// outside of the document are an error.
func Apply(document []byte, edits []Edit) ([]byte, error) {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) })
	var out []byte
	at := 0
	for _, e := range sorted {
		if e.Start < at || e.End < e.Start || e.End > len(document) {
			return nil, fmt.Errorf("edit of bytes %d to %d does not fit", e.Start, e.End)
		}
		out = append(out, document[at:e.Start]...)
		out = append(out, e.New...)
		at = e.End
	}
	return append(out, document[at:]...), nil
}
