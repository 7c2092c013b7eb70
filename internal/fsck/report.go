package fsck

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Kind is what a finding is about.
type Kind string

// The kinds of findings.
const (
	Database     Kind = "database"       // the engine's files or rows that belong together
	DecisionLog  Kind = "decision-log"   // the hash chain of an account's decisions
	PackMissing  Kind = "pack-missing"   // a live pack's file is not stored
	PackChanged  Kind = "pack-changed"   // a live pack's file is not what was stored
	IndexMissing Kind = "index-missing"  // a live pack's index is not stored, or cannot be made
	BitmapGone   Kind = "bitmap-missing" // what only makes clones fast is not stored
	Objects      Kind = "objects"        // git fsck refuses an object, or misses one
	RefObject    Kind = "ref-object"     // a ref names what is not there, or not what it may name
	RefPeeled    Kind = "ref-peeled"     // what is kept of an annotated tag's target is wrong
	RefName      Kind = "ref-name"       // a ref has a name that git refuses
	RefHistory   Kind = "ref-history"    // the events of a ref do not lead to where it is
	Head         Kind = "head"           // the default branch is none
	LFSMissing   Kind = "lfs-missing"    // an object of Git LFS is not stored
	LFSChanged   Kind = "lfs-changed"    // an object of Git LFS is not what its name says
	LFSRow       Kind = "lfs-row"        // the row of an object of Git LFS names what is not its own
)

// next says for each kind what to do.
func (k Kind) next() string {
	switch k {
	case Database:
		return "restore metadata.db from a backup; the blobs of that time are still there within the grace period"
	case DecisionLog:
		return "keep a copy of metadata.db as evidence; compare it with a backup from before that row"
	case PackMissing, PackChanged:
		return "put the file back from a backup of blobs/ (names never change), or fetch the objects from a clone that has them into a new repository"
	case IndexMissing:
		return "put the file back from a backup of blobs/, or run git index-pack on the pack beside it"
	case BitmapGone:
		return "nothing is lost; refward maintenance run --repository NAME --force makes a new one"
	case Objects:
		return "find a clone that has the object (git cat-file -e ID), and restore the pack that held it from a backup"
	case RefObject, RefPeeled, RefName, Head:
		return "compare with the ref's history (table ref_event) and with a backup of metadata.db; then push the ref to where it was"
	case LFSMissing, LFSChanged:
		return "put the file back from a backup of blobs/, or copy it from a clone that has it (.git/lfs/objects/)"
	case LFSRow, RefHistory:
		return "somebody changed rows outside of refward: compare metadata.db with a backup, and with what clones have"
	}
	return ""
}

// Finding is one thing that is wrong.
type Finding struct {
	Kind       Kind   `json:"kind"`
	Repository string `json:"repository,omitempty"` // its name
	ID         string `json:"repositoryId,omitempty"`
	Subject    string `json:"subject,omitempty"` // the ref, the pack, the blob
	What       string `json:"what"`
	Next       string `json:"next"`
}

// Note is something that maintenance will deal with.
type Note struct {
	Kind    string    `json:"kind"`    // "dead-pack", "dead-object", "orphan"
	Subject string    `json:"subject"` // a blob's key, or a repository's ID and a pack's
	Bytes   int64     `json:"bytes"`   // 0 of a dead object, which keeps none in its row
	Since   time.Time `json:"since"`
}

// Counts is what was looked at.
type Counts struct {
	Repositories int   `json:"repositories"`
	Packs        int   `json:"packs"`
	Objects      int64 `json:"objects"`
	Bytes        int64 `json:"bytes"`
	Refs         int   `json:"refs"`
	RefEvents    int64 `json:"refEvents"`
	Accounts     int   `json:"accounts"`
	LFSObjects   int64 `json:"lfsObjects"`
	LFSBytes     int64 `json:"lfsBytes"`
}

// Report is the outcome of a check.
type Report struct {
	Counts   Counts    `json:"checked"`
	Findings []Finding `json:"findings"`
	Notes    []Note    `json:"notes"`
	Omitted  int       `json:"omitted"` // findings that were too many to list
}

// Clean reports whether nothing is wrong.
func (r *Report) Clean() bool { return len(r.Findings) == 0 && r.Omitted == 0 }

// maxFindings bounds how many findings of one kind are listed for one repository: a lost
// pack can mean a million lost objects.
const maxFindings = 20

// add lists a finding, or counts it where there are too many alike.
func (r *Report) add(of Repository, kind Kind, subject, what string) {
	alike := 0
	for _, f := range r.Findings {
		if f.Kind == kind && f.ID == string(of.ID) {
			alike++
		}
	}
	if alike >= maxFindings {
		r.Omitted++
		return
	}
	r.Findings = append(r.Findings, Finding{
		Kind: kind, Repository: of.Name, ID: string(of.ID), Subject: subject, What: what, Next: kind.next(),
	})
}

// WriteJSON writes the report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	whole := *r
	if whole.Findings == nil {
		whole.Findings = []Finding{}
	}
	if whole.Notes == nil {
		whole.Notes = []Note{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(whole)
}

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(string(f.Kind))
		if f.ID != "" {
			fmt.Fprintf(&b, ": repository %s (%s)", cmp.Or(f.Repository, "without a name"), f.ID)
		}
		if f.Subject != "" {
			fmt.Fprintf(&b, ": %s", printable(f.Subject))
		}
		fmt.Fprintf(&b, ": %s\n  next: %s\n", printable(f.What), f.Next)
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "and %d more of the same kinds\n", r.Omitted)
	}
	notes := slices.Clone(r.Notes)
	slices.SortStableFunc(notes, func(a, b Note) int { return cmp.Compare(a.Kind, b.Kind) })
	for _, n := range notes {
		fmt.Fprintf(&b, "note: %s %s, %d bytes, since %s\n", n.Kind, n.Subject, n.Bytes, n.Since.UTC().Format(time.RFC3339))
	}
	c := r.Counts
	fmt.Fprintf(&b, "checked %d repositories: %d packs with %d objects in %d bytes, %d refs with %d moves, %d objects of Git LFS in %d bytes; the decisions of %d accounts\n",
		c.Repositories, c.Packs, c.Objects, c.Bytes, c.Refs, c.RefEvents, c.LFSObjects, c.LFSBytes, c.Accounts)
	switch {
	case r.Clean():
		b.WriteString("nothing is wrong\n")
	default:
		fmt.Fprintf(&b, "%d findings\n", len(r.Findings)+r.Omitted)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable replaces what must not reach a terminal: refs and the messages of git hold
// anybody's bytes.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
