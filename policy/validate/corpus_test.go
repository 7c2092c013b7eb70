package validate_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
)

// kinds of document by the folder of a file in a case.
var kinds = map[string]policy.Kind{
	"": policy.Identity, "boundary": policy.Boundary, "session": policy.Session, "scp": policy.ServiceControl,
	"resource": policy.Resource, "trust": policy.Trust, "managed": policy.Managed,
}

// here is where every case of the corpus takes place.
var here = validate.Options{Account: "111122223333", Region: "us-east-1", Partition: "aws"}

// document is one document of a case.
type document struct {
	name    string
	kind    policy.Kind
	text    []byte
	refused bool // it is not to parse
}

// readCase returns the documents of a case, and what its findings section holds.
func readCase(t testing.TB, file string) (docs []document, findings string, has bool) {
	t.Helper()
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ar.Files {
		verb, name, two := strings.Cut(f.Name, " ")
		switch {
		case f.Name == "findings":
			findings, has = strings.TrimSpace(string(f.Data)), true
		case verb == "want" && two, verb == "request" && two, verb == "prove":
		case verb == "refuse" && two:
			docs = append(docs, document{name, kindOf(name), []byte(strings.TrimSuffix(string(f.Data), "\n")), true})
		default:
			docs = append(docs, document{f.Name, kindOf(f.Name), f.Data, false})
		}
	}
	return docs, findings, has
}

func kindOf(name string) policy.Kind {
	folder, _, found := strings.Cut(name, "/")
	if !found {
		folder = ""
	}
	return kinds[folder]
}

func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/corpus/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	return files
}

// TestCorpus: a document has an error exactly when it does not parse, and the findings
// of a case that lists them are these. A line of the section is
// "document line:column SEVERITY CODE pointer".
func TestCorpus(t *testing.T) {
	listed := 0
	for _, file := range corpus(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			docs, want, has := readCase(t, file)
			var got []string
			for _, d := range docs {
				findings := validate.Document(d.kind, d.text, here)
				sound(t, d, findings)
				for _, f := range findings {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", d.name, f.Start, f.Severity, f.Code, f.Pointer)))
				}
			}
			if !has {
				return
			}
			listed++
			if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
	if listed < 9 {
		t.Errorf("only %d cases list findings", listed)
	}
}

// sound holds for the findings of every document.
func sound(t testing.TB, d document, findings []validate.Finding) {
	t.Helper()
	_, err := policy.Parse(policy.Source{}, d.kind, d.text)
	errors := 0
	for _, f := range findings {
		if f.Severity == validate.Error {
			errors++
		}
		inside(t, d.text, f)
		if f.Message == "" || f.Code.Description() == "" {
			t.Errorf("%s: no message or no description of %s", d.name, f.Code)
		}
		mended(t, d, f, findings)
	}
	if (err != nil) != (errors > 0) {
		t.Errorf("%s: parses with error %v, has %d ERROR findings: %v\n%s", d.name, err, errors, findings, d.text)
	}
}

// inside: the place lies in the document, and the end not before the start.
func inside(t testing.TB, text []byte, f validate.Finding) {
	t.Helper()
	lines := strings.Split(string(text), "\n")
	for _, p := range []policy.Position{f.Start, f.End} {
		if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len(lines[p.Line-1])+1 {
			t.Fatalf("%v is outside of the document\n%s", f, text)
		}
	}
	if f.End.Line < f.Start.Line || f.End.Line == f.Start.Line && f.End.Column < f.Start.Column {
		t.Errorf("%v ends at %s", f, f.End)
	}
}

// mended: making the edits leaves fewer findings of the code, and breaks nothing.
func mended(t testing.TB, d document, f validate.Finding, before []validate.Finding) {
	t.Helper()
	if f.Mend == nil || len(f.Mend.Edits) == 0 {
		return
	}
	text, err := validate.Apply(d.text, f.Mend.Edits)
	if err != nil {
		t.Errorf("%v: %v", f, err)
		return
	}
	after := validate.Document(d.kind, text, here)
	if count(after, f.Code) >= count(before, f.Code) {
		t.Errorf("%v: still there after %q:\n%s\n%s", f, f.Mend.Text, text, list(after))
	}
	if errors(after) > errors(before) {
		t.Errorf("%v: the mend broke the document:\n%s\n%s", f, text, list(after))
	}
}

func count(findings []validate.Finding, code validate.Code) int {
	n := 0
	for _, f := range findings {
		if f.Code == code {
			n++
		}
	}
	return n
}

func errors(findings []validate.Finding) int {
	n := 0
	for _, f := range findings {
		if f.Severity == validate.Error {
			n++
		}
	}
	return n
}

func list(findings []validate.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString("  " + f.String() + "\n")
	}
	return b.String()
}
