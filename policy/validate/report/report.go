// Package report prints the findings of package validate: as lines for people, as
// JSON, and as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format") for
// the tools that show findings beside the code. It opens no file; the caller says what
// each is called.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/refward/refward/policy/validate"
)

// File is one document that was checked.
type File struct {
	Name     string // as it is to be shown; with slashes
	Source   []byte
	Findings []validate.Finding
}

// Worst returns the worst severity among the findings, 0 when there are none.
func Worst(files []File) validate.Severity {
	worst := validate.Severity(0)
	for i := range files {
		for j := range files[i].Findings {
			worst = max(worst, files[i].Findings[j].Severity)
		}
	}
	return worst
}

// Text prints a line for every finding, as compilers do, and one for its mend:
//
//	p.json:3:14: WARNING UNKNOWN_ACTION: there is no action "codecommit:GitPsh"
//		mend: did you mean codecommit:GitPush?
func Text(w io.Writer, files []File) error {
	for i := range files {
		f := &files[i]
		for j := range f.Findings {
			d := &f.Findings[j]
			_, err := fmt.Fprintf(w, "%s:%s: %s %s: %s\n", oneLine(f.Name), d.Start, d.Severity, d.Code, oneLine(d.Message))
			if err == nil && d.Mend != nil {
				_, err = fmt.Fprintf(w, "\tmend: %s\n", oneLine(d.Mend.Text))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// oneLine keeps text from a document from looking like other lines, or from steering a
// terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

// JSON prints {"files": [{"name": …, "findings": […]}]}. Lists are never null.
func JSON(w io.Writer, files []File) error {
	type file struct {
		Name     string             `json:"name"`
		Findings []validate.Finding `json:"findings"`
	}
	out := struct {
		Files []file `json:"files"`
	}{Files: []file{}}
	for _, f := range files {
		if f.Findings == nil {
			f.Findings = []validate.Finding{}
		}
		out.Files = append(out.Files, file{f.Name, f.Findings})
	}
	return write(w, out)
}

func write(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
