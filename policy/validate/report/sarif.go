package report

import (
	"bytes"
	"io"
	"net/url"
	"unicode/utf8"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
)

// The parts of a SARIF log that are written, by the names of the standard's schema.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID     string          `json:"ruleId"`
		RuleIndex  int             `json:"ruleIndex"`
		Level      string          `json:"level"`
		Message    sarifText       `json:"message"`
		Locations  []sarifLocation `json:"locations"`
		Fixes      []sarifFix      `json:"fixes,omitempty"`
		Properties sarifProperties `json:"properties"`
	}
	sarifProperties struct {
		Severity string `json:"severity"`
		Pointer  string `json:"pointer"`
		Mend     string `json:"mend,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
)

// level: SARIF has three. What is lost is in the property "severity".
func level(s validate.Severity) string {
	switch s {
	case validate.Error:
		return "error"
	case validate.Suggestion:
		return "note"
	default:
		return "warning"
	}
}

// SARIF prints one run with all findings. Columns count characters, as SARIF asks, and
// not bytes.
func SARIF(w io.Writer, files []File) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver.Name = "refward"
	index := map[validate.Code]int{}
	for i, code := range validate.Codes() {
		index[code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(code), sarifText{code.Description()}})
	}
	for i := range files {
		for j := range files[i].Findings {
			run.Results = append(run.Results, result(&files[i], &files[i].Findings[j], index))
		}
	}
	return write(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

func result(f *File, d *validate.Finding, index map[validate.Code]int) sarifResult {
	artifact := sarifArtifact{(&url.URL{Path: f.Name}).String()}
	r := sarifResult{
		RuleID:    string(d.Code),
		RuleIndex: index[d.Code],
		Level:     level(d.Severity),
		Message:   sarifText{d.Message},
		Locations: []sarifLocation{{sarifPhysical{artifact, region(f.Source, f.offset(d.Start), f.offset(d.End))}}},
		Properties: sarifProperties{
			Severity: d.Severity.String(),
			Pointer:  d.Pointer,
		},
	}
	if d.Mend == nil {
		return r
	}
	r.Properties.Mend = d.Mend.Text
	if len(d.Mend.Edits) == 0 {
		return r
	}
	change := sarifChange{Artifact: artifact}
	for _, e := range d.Mend.Edits {
		change.Replacements = append(change.Replacements, sarifReplacement{region(f.Source, e.Start, e.End), sarifText{e.New}})
	}
	r.Fixes = []sarifFix{{sarifText{d.Mend.Text}, []sarifChange{change}}}
	return r
}

// offset finds the byte of a position, within the source.
func (f *File) offset(p policy.Position) int {
	at := 0
	for line := 1; line < p.Line; line++ {
		i := bytes.IndexByte(f.Source[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return min(at+p.Column-1, len(f.Source))
}

// region is a range of bytes as lines and columns of characters.
func region(source []byte, start, end int) sarifRegion {
	line, column := place(source, start)
	endLine, endColumn := place(source, end)
	return sarifRegion{line, column, endLine, endColumn}
}

func place(source []byte, off int) (line, column int) {
	before := source[:min(max(off, 0), len(source))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}
