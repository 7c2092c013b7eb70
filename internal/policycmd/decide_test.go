package policycmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/tools/txtar"

	"github.com/refward/refward/policy"
)

// result is an answer as a program reads it.
type result struct {
	ID       json.RawMessage
	Decision string
	Reasons  []reason
}

// decideAll runs the command on lines and reads its answers.
func decideAll(t *testing.T, text string) []result {
	t.Helper()
	status, out, errs := run(t, text, "decide")
	if status != statusYes || errs != "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	var all []result
	for line := range strings.Lines(out) {
		var a result
		if err := json.Unmarshal([]byte(line), &a); err != nil || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("answer %q: %v", line, err)
		}
		all = append(all, a)
	}
	return all
}

// one decides one line made of the members of a request.
func one(t *testing.T, members string) result {
	t.Helper()
	all := decideAll(t, "{"+members+"}\n")
	if len(all) != 1 {
		t.Fatalf("%d answers to one line", len(all))
	}
	return all[0]
}

const (
	pull     = `"action": "codecommit:GitPull", "resource": "*"`
	allowed  = `"policies": [` + everything + `], ` + pull
	readonly = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:Get*", "Resource": "*"}}`
)

func TestDecideLayers(t *testing.T) {
	for _, tc := range []struct{ members, decision, layer string }{
		{pull, "implicitDeny", "identity"},
		{`"policies": null, "boundary": null, "trust": null, "principal": null, ` + pull, "implicitDeny", "identity"},
		{allowed, "allow", "identity"},
		{`"policies": ` + everything + `, ` + pull, "allow", "identity"},
		{`"policies": [` + strconv.Quote(everything) + `], ` + pull, "allow", "identity"},
		{`"boundary": [], "session": [], "scps": [], ` + allowed, "allow", "identity"},
		{`"boundary": [` + readonly + `], ` + allowed, "implicitDeny", "boundary"},
		{`"boundary": [` + readonly + `, ` + everything + `], ` + allowed, "allow", "identity"},
		{`"session": ` + readonly + `, ` + allowed, "implicitDeny", "session"},
		{`"session": [` + everything + `], ` + allowed, "allow", "identity"},
		{`"scps": [` + readonly + `], ` + allowed, "implicitDeny", "scp"},
		{`"scps": [` + readonly + `, ` + everything + `], ` + allowed, "allow", "scp"},
		{`"scps": [[` + everything + `], [` + readonly + `]], ` + allowed, "implicitDeny", "scp"},
		{`"scps": [[` + everything + `], [` + readonly + `, ` + everything + `]], ` + allowed, "allow", "scp"},
		{`"scps": [[` + everything + `], []], ` + allowed, "implicitDeny", "scp"},
	} {
		got := one(t, tc.members)
		if got.Decision != tc.decision || len(got.Reasons) == 0 || got.Reasons[0].Layer != tc.layer {
			t.Errorf("%s: %+v", tc.members, got)
		}
	}
}

// Every statement that decided is a reason, with its place.
func TestDecideReasons(t *testing.T) {
	two := `{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "codecommit:*", "Resource": "*"},
		{"Sid": "B", "Effect": "Allow", "Action": "*", "Resource": "*"}]}`
	two = strings.ReplaceAll(two, "\n", " ")
	got := one(t, `"policies": [`+two+`, `+readonly+`, `+two+`], "scps": [[`+everything+`], [`+readonly+`, `+everything+`]], `+pull)
	want := []reason{
		{Layer: "scp", Level: 1, Policy: 1, Statement: 1}, {Layer: "scp", Level: 2, Policy: 2, Statement: 1},
		{Layer: "identity", Policy: 1, Statement: 1, Sid: "A"}, {Layer: "identity", Policy: 1, Statement: 2, Sid: "B"},
		{Layer: "identity", Policy: 3, Statement: 1, Sid: "A"}, {Layer: "identity", Policy: 3, Statement: 2, Sid: "B"},
	}
	if got.Decision != "allow" || !slices.Equal(got.Reasons, want) {
		t.Errorf("%+v", got)
	}
	got = one(t, `"policies": [`+readonly+`], "scps": [`+everything+`], "boundary": [`+strings.Replace(everything, "Allow", "Deny", 1)+`], `+pull)
	if want := []reason{{Layer: "boundary", Policy: 1, Statement: 1}}; got.Decision != "explicitDeny" || !slices.Equal(got.Reasons, want) {
		t.Errorf("%+v", got)
	}
}

// The trust policy has to allow whatever the identity policies say, and across accounts
// both have to.
func TestDecideTrust(t *testing.T) {
	statement := func(effect, principal string) string {
		return `{"Version": "2012-10-17", "Statement": {"Effect": "` + effect + `", "Principal": {"AWS": "` + principal + `"}, "Action": "sts:AssumeRole"}}`
	}
	const ann, other = "arn:aws:iam::111122223333:user/ann", "arn:aws:iam::444455556666:user/ann"
	identity := `"policies": [` + everything + `], `
	for _, tc := range []struct {
		name, policies, trust, principal, decision, layer string
	}{
		{"named", "", statement("Allow", ann), ann, "allow", "trust"},
		{"not named", identity, statement("Allow", ann), "arn:aws:iam::111122223333:user/bob", "implicitDeny", "trust"},
		{"denied", identity, statement("Deny", ann), ann, "explicitDeny", "trust"},
		{"account without identity policy", "", statement("Allow", "111122223333"), ann, "implicitDeny", "identity"},
		{"account with one", identity, statement("Allow", "111122223333"), ann, "allow", "trust"},
		{"another account whose identity policies are not told", "", statement("Allow", other), other, "allow", "trust"},
		{"another account, not allowed there", `"policies": [` + readonly + `], `, statement("Allow", other), other, "implicitDeny", "identity"},
		{"another account, allowed there", identity, statement("Allow", other), other, "allow", "trust"},
		{"everybody, not allowed there", `"policies": [` + readonly + `], `, statement("Allow", "*"), other, "implicitDeny", "identity"},
		{"session by role", "", statement("Allow", "arn:aws:iam::111122223333:role/ci"), "arn:aws:sts::111122223333:assumed-role/ci/run", "allow", "trust"},
		{"role", "", statement("Allow", "arn:aws:iam::111122223333:role/x/ci"), "arn:aws:iam::111122223333:role/x/ci", "allow", "trust"},
		{"nobody", identity, statement("Allow", "*"), "", "invalid", ""},
		{"no name", identity, statement("Allow", "*"), "ann", "invalid", ""},
		{"resource in it", identity, everything, ann, "invalid", "trust"},
	} {
		got := one(t, tc.policies+`"trust": `+tc.trust+`, "principal": "`+tc.principal+`", "action": "sts:AssumeRole", "resource": "arn:aws:iam::111122223333:role/deploy"`)
		if got.Decision != tc.decision || len(got.Reasons) == 0 || got.Reasons[0].Layer != tc.layer {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
	// A unique ID says no account; a role whose account only "account" tells is another's.
	got := one(t, `"trust": `+statement("Allow", "AIDAEXAMPLEANN00000000")+`, "principal": "AIDAEXAMPLEANN00000000", "account": "111122223333", "action": "sts:AssumeRole", "resource": "arn:aws:iam::111122223333:role/deploy"`)
	if got.Decision != "allow" {
		t.Errorf("unique ID: %+v", got)
	}
	got = one(t, `"policies": [`+readonly+`], "trust": `+statement("Allow", ann)+`, "principal": "`+ann+`", "account": "444455556666", "action": "sts:AssumeRole", "resource": "*"`)
	if got.Decision != "implicitDeny" {
		t.Errorf("account alone: %+v", got)
	}
}

// Nothing is added to the context: not even who asks.
func TestDecideContextAsGiven(t *testing.T) {
	document := func(condition string) string {
		return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": ` + condition + `}}`
	}
	null := func(key string) string { return document(`{"Null": {"` + key + `": "true"}}`) }
	for _, tc := range []struct{ document, context, decision string }{
		{null("aws:PrincipalArn"), `{}`, "allow"},
		{null("aws:CurrentTime"), `{}`, "allow"},
		{null("aws:RequestedRegion"), `{}`, "allow"},
		{null("aws:PrincipalAccount"), `{}`, "allow"},
		{null("a:b"), `{"a:b": []}`, "allow"},
		{null("a:b"), `{"a:b": ""}`, "implicitDeny"},
		{null("a:b"), `{"A:B": ["x"]}`, "implicitDeny"},
		{document(`{"Bool": {"a:b": "true"}}`), `{"a:b": true}`, "allow"},
		{document(`{"NumericEquals": {"a:b": "1.5"}}`), `{"a:b": 1.50}`, "allow"},
		{document(`{"StringEquals": {"a:b": "é\\"}}`), `{"a:b": "\u00e9\\"}`, "allow"},
		{document(`{"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}`), `{"a:b": ["x", "y"]}`, "allow"},
		{document(`{"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}`), `{"a:b": ["x", "z"]}`, "implicitDeny"},
		{everything, `{"a:b": null}`, "invalid"},
		{everything, `{"a:b": {"x": "y"}}`, "invalid"},
		{everything, `{"a:b": ["x", ["y"]]}`, "invalid"},
		{everything, `{"a:b": "x", "A:b": "y"}`, "invalid"},
		{everything, `{"a:b": "\ud800"}`, "invalid"},
		{everything, `["a:b"]`, "invalid"},
	} {
		got := one(t, `"policies": [`+tc.document+`], "principal": "arn:aws:iam::111122223333:user/ann", "context": `+tc.context+`, `+pull)
		if got.Decision != tc.decision {
			t.Errorf("%s with %s: %+v", tc.document, tc.context, got)
		}
	}
	many := make([]string, maxKeys+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"k:%d": "v"`, i)
	}
	if got := one(t, `"context": {`+strings.Join(many, ", ")+`}, `+allowed); got.Decision != "invalid" {
		t.Errorf("%d keys: %+v", len(many), got.Decision)
	}
	if got := one(t, `"context": {`+strings.Join(many[1:], ", ")+`}, `+allowed); got.Decision != "allow" {
		t.Errorf("%d keys: %+v", len(many)-1, got)
	}
}

// What is wrong with a line is answered, with its ID where there is one, and the next
// line is read.
func TestDecideInvalid(t *testing.T) {
	lines := []struct{ line, id, says string }{
		{``, `null`, "not JSON"},
		{`null`, `null`, "not a JSON object"},
		{`[1]`, `null`, "not a JSON object"},
		{`{"id": 1`, `null`, "byte 8: unexpected end"},
		{`{"id": 1} {}`, `null`, "byte 11"},
		{`{"id": 1}`, `1`, "action"},
		{`{"id": 2, "action": "a:b"}`, `2`, "resource"},
		{`{"action": 5, "id": {"a": [ 3 ]}}`, `{"a":[3]}`, `"action" is not a string`},
		{`{"id": 4, "id": 5, ` + pull + `}`, `4`, `"id" is there twice`},
		{`{"id": "5", "Action": "a:b", ` + pull + `}`, `"5"`, `no member "Action"`},
		{`{"id": 6, "policies": [[` + everything + `]], ` + pull + `}`, `6`, "a policy is"},
		{`{"id": 7, "scps": [` + everything + `, [` + everything + `]], ` + pull + `}`, `7`, "a policy is"},
		{`{"id": 8, "scps": [[` + everything + `], ` + everything + `], ` + pull + `}`, `8`, "not both"},
		{`{"id": 9, "account": "1", ` + pull + `}`, `9`, "12 digits"},
		{`{"id": 10, "policies": [5, "{", null], ` + pull + `}`, `10`, "Syntax errors in policy."},
		{"{\"id\": \"\xff\"}", `null`, "byte 9: it is not UTF-8"},
		{`{"id": 12, "action": "\udc00:b", "resource": "*"}`, `12`, "surrogate"},
		{`{"id": 13, "policies": ["\ud800\ud800"], ` + pull + `}`, `13`, "surrogate"},
	}
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l.line + "\n" + `{"id": "next", ` + allowed + "}\n")
	}
	answers := decideAll(t, text.String())
	if len(answers) != 2*len(lines) {
		t.Fatalf("%d answers to %d lines", len(answers), 2*len(lines))
	}
	for i, l := range lines {
		a, next := answers[2*i], answers[2*i+1]
		if a.Decision != "invalid" || string(a.ID) != l.id || len(a.Reasons) == 0 || !strings.Contains(a.Reasons[0].Message, l.says) {
			t.Errorf("%s: %s %s %+v", l.line, a.ID, a.Decision, a.Reasons)
		}
		if next.Decision != "allow" || string(next.ID) != `"next"` {
			t.Errorf("after %s: %+v", l.line, next)
		}
	}
}

// Every document that IAM would refuse is a reason, with its place.
func TestDecideRefusedDocuments(t *testing.T) {
	bad := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "GitPull", "Resource": "*"}}`
	got := one(t, `"policies": [`+everything+`, `+bad+`], "scps": [[`+everything+`], [`+everything+`, `+strconv.Quote("{\n5")+`]], `+pull)
	want := []reason{
		{Layer: "identity", Policy: 2, Message: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", Line: 1, Column: 70, Pointer: "/Statement/Action"},
		{Layer: "scp", Level: 2, Policy: 2, Message: "Syntax errors in policy.", Line: 2, Column: 1},
	}
	if got.Decision != "invalid" || len(got.Reasons) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, r := range got.Reasons {
		if r.Detail == "" {
			t.Errorf("%+v says no detail", r)
		}
		if r.Detail = ""; r != want[i] {
			t.Errorf("got %+v\nwant %+v", r, want[i])
		}
	}
}

// A line at the limit is read, a longer one answered, whatever the reader's pieces.
func TestDecideLongLines(t *testing.T) {
	request := "{" + allowed + "}"
	fits := request + strings.Repeat(" ", maxLine-len(request))
	text := fits + "\n" + fits + " \n" + request + "\n" + fits + " "
	for name, from := range map[string]io.Reader{
		"whole": strings.NewReader(text), "halves": iotest.HalfReader(strings.NewReader(text)), "with its end": iotest.DataErrReader(strings.NewReader(text)),
	} {
		var b bytes.Buffer
		if err := decideLines(t.Context(), from, &b); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			var a result
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				t.Fatal(err)
			}
			got = append(got, a.Decision)
		}
		if want := []string{"allow", "invalid", "allow", "invalid"}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Who asks line by line has each answer before the next question.
func TestDecideAnswersBeforeItWaits(t *testing.T) {
	questions, ask := io.Pipe()
	answers, say := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- decideLines(t.Context(), questions, say)
		say.Close()
	}()
	from := bufio.NewReader(answers)
	for i := range 3 {
		if _, err := fmt.Fprintf(ask, "{\"id\": %d, %s}\n", i, allowed); err != nil {
			t.Fatal(err)
		}
		line, err := from.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,"decision":"allow"`, i)) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	ask.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What was answered before reading or writing failed is not lost, and the failure is said.
func TestDecideFailures(t *testing.T) {
	broken := errors.New("broken")
	var b bytes.Buffer
	from := io.MultiReader(strings.NewReader("{"+allowed+"}\n"), iotest.ErrReader(broken))
	if err := decideLines(t.Context(), from, &b); !errors.Is(err, broken) || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("%v, %s", err, b.String())
	}
	to, w := io.Pipe()
	to.CloseWithError(broken)
	if err := decideLines(t.Context(), strings.NewReader("{"+allowed+"}\n"), w); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// The corpus of the library gets the same answers as lines.
func TestDecideCorpus(t *testing.T) {
	files, err := filepath.Glob("../../policy/testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	asked := 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		asked += decideCase(t, filepath.Base(file), ar)
	}
	if asked < 120 {
		t.Errorf("%d questions, want at least 120", asked)
	}
}

// decideCase asks the questions of one file.
func decideCase(t *testing.T, file string, ar *txtar.Archive) (asked int) {
	documents := map[string][]string{}
	wants := map[string]string{}
	for _, f := range ar.Files {
		if name, ok := strings.CutPrefix(f.Name, "want "); ok {
			wants[name], _, _ = strings.Cut(string(f.Data), ":")
		}
		if strings.Contains(f.Name, " ") || !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		folder, _, _ := strings.Cut(f.Name, "/")
		if folder == f.Name || folder == "managed" {
			folder = "policies"
		}
		if folder == "scp" {
			folder = strings.TrimSuffix(f.Name, "/"+filepath.Base(f.Name))
		}
		documents[folder] = append(documents[folder], strconv.Quote(string(f.Data)))
	}
	if documents["resource"] != nil || strings.HasPrefix(file, "trust-unique-id") {
		return 0 // a line has no place for the one, and names callers by their ARN or their ID, not both
	}
	for _, f := range ar.Files {
		name, ok := strings.CutPrefix(f.Name, "request ")
		if !ok {
			continue
		}
		if strings.Contains(string(f.Data), "@service events\n") {
			continue // half a name is none that a line can give
		}
		asked++
		got := one(t, membersOf(documents, string(f.Data)))
		words := map[string]string{"allow": "allow", "explicitDeny": "explicit deny", "implicitDeny": "implicit deny"}[got.Decision]
		if words != wants[name] {
			t.Errorf("%s, %s: %+v, want %s", file, name, got, wants[name])
		}
	}
	return asked
}

// membersOf writes the documents of a case and one of its requests as members.
func membersOf(documents map[string][]string, request string) string {
	var out, scps []string
	for folder, texts := range documents {
		list := "[" + strings.Join(texts, ", ") + "]"
		switch {
		case strings.HasPrefix(folder, "scp/"):
			scps = append(scps, list)
		case folder == "trust":
			out = append(out, `"trust": `+texts[0])
		default:
			out = append(out, fmt.Sprintf("%q: %s", folder, list))
		}
	}
	out = append(out, `"scps": [`+strings.Join(scps, ", ")+"]")
	lines := strings.Split(strings.TrimSpace(request), "\n")
	action, resource, _ := strings.Cut(lines[0], " ")
	context, principal, account := map[string][]string{}, "", ""
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, " ")
		if v, err := strconv.Unquote(value); err == nil {
			value = v
		}
		switch key {
		case "@arn", "@federated", "@service":
			principal = value
		case "@account":
			account = value
		case "@userid", "@role":
		default:
			context[key] = append(context[key], value)
		}
	}
	add := func(name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		out = append(out, fmt.Sprintf("%q: %s", name, text))
	}
	add("action", action)
	add("resource", resource)
	add("context", context)
	if principal != "" {
		add("principal", principal)
		add("account", account)
	}
	return strings.Join(out, ", ")
}

// The cache answers the same, keeps to its bounds, and forgets the oldest.
func TestCache(t *testing.T) {
	c := newCache()
	first, err := c.parse(policy.Identity, []byte(everything))
	again, err2 := c.parse(policy.Identity, []byte(everything))
	if err != nil || err2 != nil || first != again || c.misses != 1 {
		t.Errorf("%v, %v, %d misses", err, err2, c.misses)
	}
	if _, err := c.parse(policy.Trust, []byte(everything)); err == nil {
		t.Error("what is an identity policy was taken as a trust policy")
	}
	if _, err := c.parse(policy.Trust, []byte(everything)); err == nil || c.misses != 2 {
		t.Errorf("a refusal is not kept: %v, %d misses", err, c.misses)
	}
	for i := range maxCachedDocuments {
		_, _ = c.parse(policy.Identity, []byte(strconv.Itoa(i)))
	}
	if len(c.entries) != maxCachedDocuments || c.recent.Len() != maxCachedDocuments {
		t.Errorf("%d entries, %d in order", len(c.entries), c.recent.Len())
	}
	if _, ok := c.entries[cacheKey{policy.Identity, everything}]; ok {
		t.Error("the oldest is still there")
	}
	large := strings.Repeat(" ", maxCachedBytes/4)
	for i := range 5 {
		_, _ = c.parse(policy.Identity, []byte(strconv.Itoa(i)+large))
	}
	if len(c.entries) != 3 || c.bytes > maxCachedBytes {
		t.Errorf("%d entries, %d bytes", len(c.entries), c.bytes)
	}
	_, _ = c.parse(policy.Identity, []byte("x"+strings.Repeat(large, 4)))
	if len(c.entries) != 3 {
		t.Errorf("what is larger than the cache drove others out: %d entries", len(c.entries))
	}
}
