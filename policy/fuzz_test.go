package policy

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/refward/refward/arn"
)

// seedDocuments adds every document of the corpus.
func seedDocuments(f *testing.F) {
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range ar.Files {
			if strings.HasSuffix(section.Name, ".json") {
				f.Add(section.Data, byte(Identity))
			}
		}
	}
}

// Whatever the bytes, Parse answers a policy or a SyntaxError with a place inside the
// text; what it takes is JSON to the standard library too, and survives printing.
func FuzzParse(f *testing.F) {
	seedDocuments(f)
	f.Fuzz(func(t *testing.T, doc []byte, k byte) {
		kind := Kind(k) % (Managed + 1)
		p, err := Parse(Source{Name: "fuzz"}, kind, doc)
		if err != nil {
			e, ok := errors.AsType[*SyntaxError](err)
			if !ok || e.Message == "" || e.Line < 1 || e.Column < 1 || e.Line > 1+strings.Count(string(doc), "\n") {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if !json.Valid(doc) {
			t.Fatalf("took what is not JSON: %q", doc)
		}
		for _, text := range [][]byte{p.Format(), p.document.Canonical()} {
			q, err := Parse(Source{}, kind, text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if string(q.document.Canonical()) != string(p.document.Canonical()) {
				t.Fatalf("%s\nis not\n%s", q.document.Canonical(), p.document.Canonical())
			}
		}
		s := &Situation{Identity: []*Policy{p}}
		r := &Request{Action: "codecommit:GitPush", Resource: "arn:aws:codecommit:us-east-1:111122223333:app"}
		r.Context.Set("k:x", "a")
		if e := s.Explain(r); e.Outcome() != s.Decide(r) || e.Line() == "" || strings.Contains(e.Line(), "\n") {
			t.Fatalf("line %q", e.Line())
		}
	})
}

// The compiled glob agrees with a regular expression.
func FuzzGlob(f *testing.F) {
	for _, w := range valueWords {
		f.Add(w, "aab", "a")
	}
	f.Add("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", "")
	f.Add("${k:a}?*?${k:a}", "xaxyxa", "xa")
	f.Fuzz(func(t *testing.T, pattern, text, value string) {
		if len(pattern) > 200 || !utf8.ValidString(pattern) || !utf8.ValidString(text) || !utf8.ValidString(value) {
			return
		}
		r := &Request{}
		r.Context.Set("k:a", value)
		m := matcher{ctx: &r.Context}
		p := syntaxOf{wildcards: true, variables: true}.compile(pattern)
		re, bound, _ := slowExpand(pattern, slowRequestOf(r, nil), true, true)
		if got, want := m.match(&p, text), bound && slowMatch(re, text); got != want {
			t.Errorf("%q on %q with %q: %v, want %v", pattern, text, value, got, want)
		}
	})
}

// Without variables, package arn and the compiled patterns answer alike.
func FuzzARN(f *testing.F) {
	for _, p := range resourceWords {
		for _, n := range requestResources {
			f.Add(p, n)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.Contains(pattern, "$") || !utf8.ValidString(pattern) || !utf8.ValidString(name) {
			return
		}
		p := compileARN(pattern, true)
		n := resourceName{text: name}
		if got, want := p.matchResource(&matcher{ctx: &Context{}}, &n) == yes, arn.Match(pattern, name); got != want {
			t.Errorf("%q on %q: %v, package arn says %v", pattern, name, got, want)
		}
	})
}

// Numbers compare as exact rationals do.
func FuzzNumber(f *testing.F) {
	f.Add("1.50", "1.5")
	f.Add("-0", "0")
	f.Add("1e3", "999.999")
	f.Add(".5", "5.")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok := parseNumber(a)
		y, ok2 := parseNumber(b)
		if !ok || !ok2 || len(a) > 200 || len(b) > 200 {
			return
		}
		p, ok := new(big.Rat).SetString(a)
		q, ok2 := new(big.Rat).SetString(b)
		if !ok || !ok2 {
			t.Fatalf("took %q and %q, which are not both numbers", a, b)
		}
		if x.compare(y) != p.Cmp(q) || x.compare(y) != -y.compare(x) {
			t.Errorf("%s against %s: %d, want %d", a, b, x.compare(y), p.Cmp(q))
		}
	})
}

// Dates in the form of RFC 3339 are those of package time.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"2026-01-15T10:30:00Z", "2024-02-29T23:59:59.999+05:30", "0001-01-01T00:00:00-23:59", "2026", "-1", "01T", "1970-01-01T"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseInstant(s)
		if ok && strings.HasSuffix(got.frac, "0") {
			t.Errorf("%q: fraction %q", s, got.frac)
		}
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || strings.Contains(s, ",") {
			return
		}
		if !ok {
			if _, off := want.Zone(); off/3600 < 24 && off/3600 > -24 {
				t.Errorf("%q is a date and was not taken", s)
			}
			return
		}
		if got.seconds != want.Unix() {
			t.Errorf("%q: %d, want %d", s, got.seconds, want.Unix())
		}
	})
}

// Networks contain what package netip says they do, mapped addresses aside.
func FuzzAddress(f *testing.F) {
	f.Add("10.1.2.3/8", "10.9.9.9")
	f.Add("::/0", "::1")
	f.Add("0.0.0.0/0", "::ffff:1.2.3.4")
	f.Add("fe80::1%eth0", "fe80::1")
	f.Fuzz(func(t *testing.T, network, address string) {
		n, ok := parseNetwork(network)
		a, ok2 := parseAddress(address)
		if !ok || !ok2 {
			return
		}
		if n.Masked() != n || a.Is4In6() || a.Zone() != "" {
			t.Errorf("%q and %q became %v and %v", network, address, n, a)
		}
		if p, err := netip.ParsePrefix(network); err == nil && !p.Addr().Is4In6() && p.Contains(a) != n.Contains(a) {
			t.Errorf("%q contains %q: %v", network, address, n.Contains(a))
		}
	})
}
