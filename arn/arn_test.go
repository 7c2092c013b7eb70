package arn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/arn"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		text string
		want arn.ARN
	}{
		{"arn:aws:codecommit:us-east-1:111122223333:payments", arn.ARN{Partition: "aws", Service: "codecommit", Region: "us-east-1", Account: "111122223333", Resource: "payments"}},
		{"arn:aws:iam::111122223333:user/dev/ann", arn.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/dev/ann"}},
		{"arn:aws:sns:us-east-1:1:a:b:c", arn.ARN{Partition: "aws", Service: "sns", Region: "us-east-1", Account: "1", Resource: "a:b:c"}},
		{"arn:aws:s3:::", arn.ARN{Partition: "aws", Service: "s3"}},
	} {
		got, err := arn.Parse(tc.text)
		if err != nil || got != tc.want || got.String() != tc.text {
			t.Errorf("Parse(%q) = %+v, %v; printed %q", tc.text, got, err, got.String())
		}
	}
	for _, text := range []string{"", "*", "arn", "arn:aws", "arn:aws:iam::1", "ARN:aws:iam::1:x", "x:aws:iam::1:x", "arn::iam::1:x", "arn:aws:::1:x", " arn:aws:iam::1:x"} {
		if got, err := arn.Parse(text); !errors.Is(err, arn.ErrSyntax) {
			t.Errorf("Parse(%q) = %+v, %v", text, got, err)
		}
	}
	if s := (arn.ARN{}).String(); s != "" {
		t.Errorf("the zero ARN prints as %q", s)
	}
}

func TestSplitPattern(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		want    []string
	}{
		{"arn:aws:codecommit:*", []string{"arn", "aws", "codecommit", "*", "*", "*"}},
		{"arn:aws:codecommit:us-*", []string{"arn", "aws", "codecommit", "us-*", "*", "*"}},
		{"arn:aws:codecommit:*:app", []string{"arn", "aws", "codecommit", "*", "app", "*"}},
		{"arn:aws:sns:r:a:x:y:*", []string{"arn", "aws", "sns", "r", "a", "x:y:*"}},
		{"arn:aws:s3:${aws:RequestedRegion}:1:${aws:username}", []string{"arn", "aws", "s3", "${aws:RequestedRegion}", "1", "${aws:username}"}},
		{"*", []string{"*", "*", "*", "*", "*", "*"}},
		{"arn:aws:sqs", []string{"arn", "aws", "sqs", "*", "*", "*"}},
		{"arn", []string{"arn"}},
		{"app:x", []string{"app", "x"}},
		{"", []string{""}},
	} {
		if diff := cmp.Diff(tc.want, arn.SplitPattern(tc.pattern)); diff != "" {
			t.Errorf("SplitPattern(%q) (-want +got):\n%s", tc.pattern, diff)
		}
	}
}

// IAM User Guide, "Identify AWS resources with Amazon Resource Names (ARNs)" and
// "IAM JSON policy elements: Resource".
func TestMatch(t *testing.T) {
	const app = "arn:aws:codecommit:us-east-1:111122223333:app"
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", app, true},
		{"*", "*", true},
		{app, app, true},
		{app, strings.ToUpper(app), false},
		{"arn:aws:codecommit:*", app, true},
		{"arn:aws:codecommit:us-*", app, true},
		{"arn:aws:codecommit:us-*:a*", app, false},
		{"arn:aws:codecommit:*:app", app, false},
		{"arn:aws:codecommit", app, true},
		{"arn:aws:codecommit:us-east-1", app, true},
		{"arn:aws:codecommit:us-west-1", app, false},
		{"arn:aws:codecommit:us-east-1:111122223333", app, true},
		{"arn:aws:sqs", app, false},
		{"codecommit", app, false},
		{"arn:aws:codecommit:*:*:app", app, true},
		{"arn:aws:codecommit:*:*:a?p", app, true},
		{"arn:aws:codecommit:*:*:a?", app, false},
		{"arn:*:codecommit:*:*:*", app, true},
		{"arn:aws:codecommit::111122223333:app", app, false},
		{"arn:aws:sns:*:1:*", "arn:aws:sns:r:1:a:b", true},
		{"arn:aws:sns:*:1:a", "arn:aws:sns:r:1:x:1:a", false},
		{"arn:aws:iam::1:user/*", "arn:aws:iam::1:user/", true},
		{"arn:aws:iam::1:user/?", "arn:aws:iam::1:user/é", true},
		{"arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/${aws:username}", true},
		{app, "*", false},
		{"x" + app, "x" + app, false},
	} {
		if got := arn.Match(tc.pattern, tc.name); got != tc.want {
			t.Errorf("Match(%q, %q) = %v", tc.pattern, tc.name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"arn:aws:iam::1:user/a", "arn:aws:sns:r:1:a:b", "arn:aws", "", "arn:::::", "arn:$${0:0:::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := arn.Parse(s)
		if err != nil {
			return
		}
		if a.String() != s {
			t.Errorf("%q prints as %q", s, a.String())
		}
		if strings.Contains(s, "${") {
			return // as a pattern it is cut elsewhere: no colon of a variable's name cuts
		}
		if !strings.ContainsAny(s, "*?") && !arn.Match(s, s) {
			t.Errorf("%q does not match itself", s)
		}
		if !arn.Match("arn:"+a.Partition+":*", s) {
			t.Errorf("%q is not covered by its own partition", s)
		}
	})
}

// A pattern and its name never take long, nor panic; a * in front of the resource
// covers whatever stood there.
func FuzzMatch(f *testing.F) {
	f.Add("arn:aws:iam::1:user/*", "arn:aws:iam::1:user/a")
	f.Add("arn:aws:iam:${a:b}:1:*a*a*a*b", "arn:aws:iam:x:1:aaaaaaaaaaaaaaaaaaaa")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if !arn.Match(pattern, name) {
			return
		}
		if p := arn.SplitPattern(pattern); len(p) == 6 && pattern != "*" {
			p[5] = "*" + p[5]
			if wider := strings.Join(p, ":"); !arn.Match(wider, name) {
				t.Errorf("%q covers %q and %q does not", pattern, name, wider)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		arn.Match("arn:aws:codecommit:*:111122223333:pay*", "arn:aws:codecommit:us-east-1:111122223333:payments")
	}
}
