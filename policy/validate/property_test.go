package validate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
)

// Small vocabularies, so that entries cover each other often.
var (
	someActions = []string{"*", "codecommit:*", "codecommit:Git*", "codecommit:GitPush", "codecommit:gitpull",
		"codecommit:*Branch", "codecommit:DeleteBranch", "codecommit:?reateBranch", "code*:GitPush", "iam:GetUser", "*:G*"}
	someResources = []string{"*", "arn:aws:codecommit:*", "arn:aws:codecommit:us-east-1:111122223333:*", "arn:aws:codecommit:us-east-1:111122223333:a",
		"arn:aws:codecommit:us-east-1:111122223333:a*", "arn:aws:codecommit:us-east-1:111122223333:?", "arn:aws:codecommit:us-east-1:111122223333:${aws:username}",
		"arn:aws:codecommit:us-east-1:111122223333:${aws:username}*", "arn:aws:codecommit:*:a", "arn:aws:codecommit:${aws:userid}:111122223333:a",
		"arn:aws:codecommit:us-east-1:111122223333:${aws:UserName}", "arn:aws:iam::111122223333:user/a"}
	someOperators = []string{"StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIfExists", "StringLikeIfExists",
		"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "ForAnyValue:StringLike", "ForAllValues:StringLike", "ForAllValues:StringNotEquals",
		"ForAnyValue:StringEqualsIfExists", "ArnLike", "NumericLessThan"}
	someKeys   = []string{"aws:username", "aws:userid", "codecommit:References"}
	someValues = []string{"a", "A", "ab", "a*", "*", "?", "", "${aws:username}", "${aws:userid}b", "${*}", "${nope, 'a'}", "1"}
)

func listOf(t *rapid.T, from []string, label string) string {
	n := rapid.IntRange(1, 3).Draw(t, label+" count")
	var out []string
	for range n {
		out = append(out, fmt.Sprintf("%q", rapid.SampledFrom(from).Draw(t, label)))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func drawCondition(t *rapid.T) string {
	byOperator := map[string][]string{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		op := rapid.SampledFrom(someOperators).Draw(t, "operator")
		key := fmt.Sprintf("%q", rapid.SampledFrom(someKeys).Draw(t, "key"))
		if slices.ContainsFunc(byOperator[op], func(s string) bool { return strings.HasPrefix(s, key) }) {
			continue
		}
		byOperator[op] = append(byOperator[op], key+":"+listOf(t, someValues, "value"))
	}
	if rapid.IntRange(0, 2).Draw(t, "null") == 0 {
		byOperator["Null"] = []string{fmt.Sprintf("%q:%q", rapid.SampledFrom(someKeys).Draw(t, "key"), rapid.SampledFrom([]string{"true", "false"}).Draw(t, "asks"))}
	}
	var out []string
	for _, op := range append(someOperators, "Null") {
		if keys := byOperator[op]; keys != nil {
			out = append(out, fmt.Sprintf("%q:{%s}", op, strings.Join(keys, ",")))
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

func drawDocument(t *rapid.T) string {
	var statements []string
	for range rapid.IntRange(2, 4).Draw(t, "statements") {
		not := func(label string) string {
			if rapid.IntRange(0, 3).Draw(t, label) == 0 {
				return "Not"
			}
			return ""
		}
		statements = append(statements, fmt.Sprintf(`{"Effect":%q,"%sAction":%s,"%sResource":%s,"Condition":%s}`,
			rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"),
			not("NotAction"), listOf(t, someActions, "action"),
			not("NotResource"), listOf(t, someResources, "resource"), drawCondition(t)))
	}
	version := rapid.SampledFrom([]string{"2012-10-17", "2012-10-17", "2008-10-17"}).Draw(t, "version")
	return fmt.Sprintf(`{"Version":%q,"Statement":[%s]}`, version, strings.Join(statements, ","))
}

func drawRequest(t *rapid.T) *policy.Request {
	r := &policy.Request{
		Action: rapid.SampledFrom([]string{"codecommit:GitPush", "codecommit:GitPull", "codecommit:DeleteBranch", "codecommit:CreateBranch", "iam:GetUser", "s3:GetObject"}).Draw(t, "asked"),
		Resource: rapid.SampledFrom([]string{"*", "arn:aws:codecommit:us-east-1:111122223333:a", "arn:aws:codecommit:us-east-1:111122223333:ab",
			"arn:aws:codecommit:us-east-1:111122223333:b", "arn:aws:iam::111122223333:user/a", "arn:aws:codecommit:us-east-1:111122223333:${aws:username}"}).Draw(t, "on"),
	}
	for _, k := range someKeys {
		var values []string
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "values") {
			values = append(values, rapid.SampledFrom([]string{"a", "A", "ab", "b", "", "*", "a*", "1", "us-east-1"}).Draw(t, "carried"))
		}
		r.Context.Set(k, values...)
	}
	return r
}

// idle are the findings that say of something that it changes no decision.
var idle = []validate.Code{validate.RedundantAction, validate.RedundantResource, validate.RedundantValue,
	validate.RedundantStatement, validate.UnreachableStatement, validate.UnreachableAction}

// idleDocuments has, for each of those codes, a document that surely gets it.
var idleDocuments = map[validate.Code]string{
	validate.RedundantAction: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codecommit:*","codecommit:GitPull"],"Resource":"*"}]}`,
	validate.RedundantResource: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:GitPull",
		"Resource":["arn:aws:codecommit:us-east-1:111122223333:*","arn:aws:codecommit:us-east-1:111122223333:a"]}]}`,
	validate.RedundantValue: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:*","Resource":"*",
		"Condition":{"StringLike":{"aws:userid":["a*","ab"]}}}]}`,
	validate.RedundantStatement: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:*","Resource":"*"},
		{"Effect":"Allow","Action":"codecommit:GitPull","Resource":"arn:aws:codecommit:us-east-1:111122223333:a"}]}`,
	validate.UnreachableStatement: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"codecommit:*","Resource":"*"},
		{"Effect":"Allow","Action":"codecommit:GitPull","Resource":"arn:aws:codecommit:us-east-1:111122223333:a"},
		{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}`,
	validate.UnreachableAction: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"codecommit:GitPush","Resource":"*"},
		{"Effect":"Allow","Action":["codecommit:GitPush","codecommit:GitPull"],"Resource":"*"}]}`,
}

// TestIdleIsIdle takes out what was called redundant or unreachable and asks the
// evaluator whether it notices: of documents that surely have such a thing, and of drawn
// ones.
func TestIdleIsIdle(t *testing.T) {
	for _, code := range idle {
		taken := 0
		rapid.Check(t, func(t *rapid.T) { taken += takeOut(t, idleDocuments[code])[code] })
		if taken == 0 {
			t.Errorf("%s never came up", code)
		}
	}
	rapid.Check(t, func(t *rapid.T) { takeOut(t, drawDocument(t)) })
}

// takeOut asks drawn requests with and without each thing that is called idle, and
// counts those by their code.
func takeOut(t *rapid.T, text string) map[validate.Code]int {
	before, err := policy.Parse(policy.Source{}, policy.Identity, []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var requests []*policy.Request
	for range 8 {
		requests = append(requests, drawRequest(t))
	}
	taken := map[validate.Code]int{}
	for _, f := range validate.Document(policy.Identity, []byte(text), validate.Options{}) {
		if !slices.Contains(idle, f.Code) || f.Mend == nil || len(f.Mend.Edits) == 0 {
			continue
		}
		taken[f.Code]++
		shorter, err := validate.Apply([]byte(text), f.Mend.Edits)
		if err != nil {
			t.Fatal(err)
		}
		after, err := policy.Parse(policy.Source{}, policy.Identity, shorter)
		if err != nil {
			t.Fatalf("%v: %v\n%s", f, err, shorter)
		}
		for _, r := range requests {
			was := (&policy.Situation{Identity: []*policy.Policy{before}}).Decide(r)
			is := (&policy.Situation{Identity: []*policy.Policy{after}}).Decide(r)
			if was != is {
				t.Fatalf("%v\n%+v: was %s, is %s without it\n%s\n%s", f, r, was, is, text, shorter)
			}
		}
	}
	return taken
}

// TestDrawnDocumentsAreSound holds the rules of every document for those.
func TestDrawnDocumentsAreSound(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := []byte(drawDocument(r))
		sound(t, document{"drawn", policy.Identity, text, false}, validate.Document(policy.Identity, text, here))
		if t.Failed() {
			r.Fatalf("%s", text)
		}
	})
}

// FuzzDocument: no document makes it panic, every place lies in the document, and it
// has an error exactly when it does not parse.
func FuzzDocument(f *testing.F) {
	for _, file := range corpus(f) {
		docs, _, _ := readCase(f, file)
		for _, d := range docs {
			f.Add(byte(d.kind), d.text)
		}
	}
	for _, tc := range codeCases {
		f.Add(byte(tc.kind), []byte(full(tc.hit)))
	}
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		k := policy.Kind(kind % byte(policy.Managed+1))
		opt := here
		opt.Repositories = []string{"payments"}
		findings := validate.Document(k, text, opt)
		_, err := policy.Parse(policy.Source{}, k, text)
		if (err != nil) != (errors(findings) > 0) {
			t.Errorf("parses with error %v, has %d ERROR findings\n%s", err, errors(findings), list(findings))
		}
		for _, d := range findings {
			inside(t, text, d)
			if d.Mend == nil {
				continue
			}
			mended, err := validate.Apply(text, d.Mend.Edits)
			if err != nil {
				t.Errorf("%v: %v", d, err)
			}
			if after := validate.Document(k, mended, opt); errors(findings) == 0 && errors(after) > 0 {
				t.Errorf("%v: the mend broke the document\n%s\n%s\n%s", d, text, mended, list(after))
			}
		}
	})
}
