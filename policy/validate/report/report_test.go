package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
	"github.com/refward/refward/policy/validate/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files has every severity, a place after a character of two bytes, an edit, and a
// document without findings.
func files() []report.File {
	var out []report.File
	for _, f := range []struct{ name, text string }{
		{"team/juniors é.json", "{\"Version\": \"2012-10-17\", \"Statement\": [\n" +
			"  {\"Effect\": \"Deny\", \"Action\": \"codecommit:DeleteBranch\", \"Resource\": \"*\",\n" +
			"   \"Condition\": {\"StringEquals\": {\"aws:PrincipalTag/é\": \"é\", \"codecommit:Reference\": \"main\"}}},\n" +
			"  {\"Effect\": \"Allow\", \"Action\": [\"codecommit:GitPull\", \"codecommit:GitPsh\", \"codecommit:Git*\"], \"Resource\": \"*\"}\n" +
			"]}\n"},
		{"broken.json", "{\"Statement\": [{\"Effect\": \"Allow\",}]}"},
		{"fine.json", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}}`},
	} {
		findings := validate.Document(policy.Identity, []byte(f.text), validate.Options{})
		out = append(out, report.File{Name: f.name, Source: []byte(f.text), Findings: findings})
	}
	return out
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := report.Text(&b, files()); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.JSON(&b, files()); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", b.Bytes())
}

func TestNothing(t *testing.T) {
	var text, js bytes.Buffer
	if err := report.Text(&text, nil); err != nil || text.Len() != 0 {
		t.Errorf("%q, %v", text.String(), err)
	}
	if err := report.JSON(&js, []report.File{{Name: "a.json"}}); err != nil || strings.Contains(js.String(), "null") {
		t.Errorf("%s, %v", js.String(), err)
	}
	if got := report.Worst(nil); got != 0 {
		t.Errorf("worst of nothing is %s", got)
	}
	if got := report.Worst(files()); got != validate.Error {
		t.Errorf("worst is %s", got)
	}
}

// TestTextStaysOnItsLine: what a document says cannot make lines or steer a terminal.
func TestTextStaysOnItsLine(t *testing.T) {
	text := []byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*",
		"Condition": {"StringEquals": {"a\n\u001b[31mb": "c"}}}}`)
	var b bytes.Buffer
	err := report.Text(&b, []report.File{{Name: "a\nb", Findings: validate.Document(policy.Identity, text, validate.Options{})}})
	if err != nil || strings.Count(b.String(), "\n") != 1 || strings.Contains(b.String(), "\x1b") {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// TestSARIF reads the log back: each result names a rule of the run, and its region and
// fixes say what the finding says, in characters (SARIF 2.1.0, 3.30 "region object").
func TestSARIF(t *testing.T) {
	var b bytes.Buffer
	all := files()
	if err := report.SARIF(&b, all); err != nil {
		t.Fatal(err)
	}
	type region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	var log struct {
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           region
					}
				}
				Fixes []struct {
					ArtifactChanges []struct {
						Replacements []struct {
							DeletedRegion   region
							InsertedContent struct{ Text string }
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("version %s, columns %s", log.Version, run.ColumnKind)
	}
	i := 0
	levels := map[string]bool{}
	for _, f := range all {
		for _, d := range f.Findings {
			r := run.Results[i]
			i++
			levels[r.Level] = true
			if r.RuleID != string(d.Code) || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
				t.Errorf("rule %s at %d for %v", r.RuleID, r.RuleIndex, d)
			}
			place := r.Locations[0].PhysicalLocation
			if strings.ContainsAny(place.ArtifactLocation.URI, " é") {
				t.Errorf("URI %q", place.ArtifactLocation.URI)
			}
			line := []rune(strings.Split(string(f.Source), "\n")[d.Start.Line-1])
			if d.Code == validate.UnknownConditionKey {
				if got := string(line[place.Region.StartColumn-1 : place.Region.EndColumn-1]); got != `"codecommit:Reference"` {
					t.Errorf("the region holds %s", got)
				}
				fix := r.Fixes[0].ArtifactChanges[0].Replacements[0]
				if fix.DeletedRegion != place.Region || fix.InsertedContent.Text != `"codecommit:References"` {
					t.Errorf("fix %+v for %+v", fix, place.Region)
				}
			}
		}
	}
	if i != len(run.Results) || len(levels) != 3 {
		t.Errorf("%d results for %d findings, levels %v", len(run.Results), i, levels)
	}
}
