package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// printed is what a script prints, with tests of every kind.
const printed = `ok 1 # skip of something else (--run)
expecting success of 0001.2 'before the server': true
ok 2 - before the server
gitsuite: the host runs
expecting success of 0001.3 'asks': fetch
0 bytes gitsuite: the host answers 200 to GET /smart/repo.git/info/refs
ok 3 - asks
expecting success of 0001.4 'does not': true
gitsuite: the host answers 200 to GET /smart/repo.git/info/refs
expecting success of 0001.5 'prepares': true
ok 4 - does not
ok 5 - prepares
ok 6 # skip needs a terminal (missing TTY)
not ok 7 - hook
#	not ok 8 - is text
expecting failure of 0001.8 'known': false
not ok 8 - known # TODO known breakage
1..8
`

func TestReadScript(t *testing.T) {
	s, err := readScript("t0001", strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	want := []outcome{
		{"t0001.3", "asks", passed, true},
		{"t0001.4", "does not", passed, true}, // its own line came late
		{"t0001.5", "prepares", passed, false},
		{"t0001.6", "# skip needs a terminal (missing TTY)", skipped, false},
		{"t0001.7", "hook", failed, false},
		{"t0001.8", "known # TODO known breakage", passed, false},
	}
	if !slices.Equal(s.outcomes, want) || !s.whole {
		t.Errorf("got %+v", s)
	}
	if _, err := readScript("t0001", strings.NewReader("ok 1 - alone\n1..1\n")); err == nil {
		t.Error("a script without a server was taken")
	}
}

func TestJudge(t *testing.T) {
	cut := strings.TrimSuffix(printed, "1..8\n")
	for name, c := range map[string]struct {
		printed, list string
		want          counts
		tells         string
	}{
		"as listed":          {printed, "t0001.7 a hook\nt0002.1 elsewhere", counts{6, 4, 2, 1, 1, 0}, ""},
		"fails":              {printed, "", counts{6, 4, 2, 0, 1, 1}, "t0001.7 fails: hook"},
		"passes":             {printed, "t0001.7 a hook\nt0001.3 a reason", counts{6, 3, 1, 1, 1, 1}, "t0001.3 passes, and is listed: a reason (asks)"},
		"skipped and listed": {printed, "t0001.6-7 a reason", counts{6, 4, 2, 1, 1, 0}, ""},
		"listed only":        {printed, "t0001.7 a hook\nt0001.9 a reason", counts{6, 4, 2, 1, 1, 1}, "t0001.9 is listed, and is no test that follows the start of the server"},
		"cut off":            {cut, "t0001.7 a hook", counts{6, 4, 2, 1, 1, 1}, "t0001 did not come to its end"},
	} {
		s, err := readScript("t0001", strings.NewReader(c.printed))
		if err != nil {
			t.Fatal(err)
		}
		l, err := readList(strings.NewReader(c.list))
		if err != nil {
			t.Fatal(err)
		}
		got, wrong := judge(s, l)
		if got != c.want || strings.Join(wrong, "\n") != c.tells {
			t.Errorf("%s: %+v, %q", name, got, wrong)
		}
		var out strings.Builder
		if err := report(&out, []*script{s}, l); (err != nil) != (c.tells != "") || !strings.Contains(out.String(), c.tells) {
			t.Errorf("%s: %v after\n%s", name, err, out.String())
		}
	}
}

func TestReadList(t *testing.T) {
	l, err := readList(strings.NewReader("# words\n\nt1.2 one\n t1.4-5  two words \n"))
	if want := (list{"t1.2": "one", "t1.4": "two words", "t1.5": "two words"}); err != nil || !maps.Equal(l, want) {
		t.Errorf("%v, %v", l, err)
	}
	for _, bad := range []string{"t1.2", "t1 reason", "t1.x reason", "t1.3-2 reason", "t1.2 a\nt1.1-2 b"} {
		if l, err := readList(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken: %v", bad, l)
		}
	}
	f, err := os.Open("listed.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := readList(f); err != nil {
		t.Error(err)
	}
}
