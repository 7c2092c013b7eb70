package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The lines that the server writes among a test script's.
const (
	sayStarted = "gitsuite: the host runs"
	sayAnswers = "gitsuite: the host answers"
)

// leftOut ends the line of a test that was not to run.
const leftOut = "(--run)"

// result is what became of one test.
type result int

const (
	passed result = iota
	failed
	skipped
)

// outcome is one test of a script.
type outcome struct {
	id     string // "t5541.7"
	title  string
	result result
	asked  bool // the host was asked something
}

// script is what became of the tests of one script, from where it started the server on.
type script struct {
	name     string // "t5541"
	outcomes []outcome
	whole    bool // it came to its end
}

var (
	testLine = regexp.MustCompile(`^(ok|not ok) (\d+) ?-? ?(.*)$`)
	beginLog = regexp.MustCompile(`^expecting (?:success|failure) of \d+\.(\d+) `)
	planLine = regexp.MustCompile(`^1\.\.(\d+)`)
)

// readScript reads what a script printed with --verbose-log.
func readScript(name string, r io.Reader) (*script, error) {
	s := &script{name: name}
	byNumber := map[int]int{} // index of the outcome
	asked := map[int]bool{}
	now, first := 0, 0 // the test that runs; the last one before the server ran
	started := false
	in := bufio.NewScanner(r)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		line := in.Text()
		switch {
		case strings.Contains(line, sayStarted):
			started, first = true, now
		case strings.Contains(line, sayAnswers):
			asked[now] = true
		case planLine.MatchString(line):
			s.whole = true
		}
		if m := beginLog.FindStringSubmatch(line); m != nil {
			now, _ = strconv.Atoi(m[1])
		}
		m := testLine.FindStringSubmatch(line)
		if m == nil || strings.HasSuffix(m[3], leftOut) {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		byNumber[n] = len(s.outcomes)
		s.outcomes = append(s.outcomes, outcome{id: fmt.Sprintf("%s.%d", name, n), title: m[3], result: resultOf(m[1], m[3])})
	}
	if !started {
		return nil, fmt.Errorf("%s did not start the server", name)
	}
	for n, i := range byNumber {
		s.outcomes[i].asked = asked[n]
	}
	// The lines of the tests come through a pipe of their own, a little late.
	kept := s.outcomes[:0]
	for _, o := range s.outcomes {
		if n, _ := strconv.Atoi(strings.TrimPrefix(o.id, name+".")); n > first {
			kept = append(kept, o)
		}
	}
	s.outcomes = kept
	return s, in.Err()
}

func resultOf(word, rest string) result {
	switch {
	case strings.Contains(rest, "# skip"):
		return skipped
	case word == "ok", strings.Contains(rest, "# TODO known breakage"):
		return passed
	}
	return failed
}

// list is the tests that cannot pass, each with why.
type list map[string]string

// readList reads lines of an ID, or of the first and the last of several ("t5541.7-9"),
// and a reason.
func readList(r io.Reader) (list, error) {
	l := list{}
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, ok := strings.Cut(line, " ")
		name, numbers, ok1 := strings.Cut(id, ".")
		from, to, several := strings.Cut(numbers, "-")
		if !several {
			to = from
		}
		i, err1 := strconv.Atoi(from)
		j, err2 := strconv.Atoi(to)
		if err := errors.Join(err1, err2); err != nil || !ok || !ok1 || i > j {
			return nil, fmt.Errorf("line %d is not an ID and a reason: %q", n, line)
		}
		for ; i <= j; i++ {
			id := fmt.Sprintf("%s.%d", name, i)
			if _, twice := l[id]; twice {
				return nil, fmt.Errorf("line %d: %s is listed twice", n, id)
			}
			l[id] = strings.TrimSpace(reason)
		}
	}
	return l, in.Err()
}

// counts are a script's line in the table.
type counts struct{ tests, passed, asked, listed, skipped, wrong int }

// judge counts a script's tests, and tells what is not as the list says.
func judge(s *script, l list) (c counts, wrong []string) {
	there := map[string]bool{}
	tell := func(format string, args ...any) {
		c.wrong++
		wrong = append(wrong, fmt.Sprintf(format, args...))
	}
	for _, o := range s.outcomes {
		c.tests++
		there[o.id] = true
		reason, isListed := l[o.id]
		switch {
		case o.result == skipped:
			c.skipped++
		case o.result == passed && isListed:
			tell("%s passes, and is listed: %s (%s)", o.id, reason, o.title)
		case o.result == failed && isListed:
			c.listed++
		case o.result == failed:
			tell("%s fails: %s", o.id, o.title)
		default:
			c.passed++
			if o.asked {
				c.asked++
			}
		}
	}
	for id := range l {
		if strings.HasPrefix(id, s.name+".") && !there[id] {
			tell("%s is listed, and is no test that follows the start of the server", id)
		}
	}
	if !s.whole {
		tell("%s did not come to its end", s.name)
	}
	return c, wrong
}

func (c *counts) add(d counts) {
	c.tests += d.tests
	c.passed += d.passed
	c.asked += d.asked
	c.listed += d.listed
	c.skipped += d.skipped
	c.wrong += d.wrong
}

// report prints the table, and what is wrong. It fails where something is.
func report(out io.Writer, scripts []*script, l list) error {
	const row = "%-8s %6v %7v %6v %7v %8v %6v\n"
	var total counts
	var wrong []string
	fmt.Fprintf(out, row, "script", "tests", "passed", "asked", "listed", "skipped", "wrong")
	for _, s := range scripts {
		c, w := judge(s, l)
		fmt.Fprintf(out, row, s.name, c.tests, c.passed, c.asked, c.listed, c.skipped, c.wrong)
		total.add(c)
		wrong = append(wrong, w...)
	}
	fmt.Fprintf(out, row, "all", total.tests, total.passed, total.asked, total.listed, total.skipped, total.wrong)
	for _, w := range wrong {
		fmt.Fprintln(out, w)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d things are not as the list says", len(wrong))
	}
	return nil
}

// reportMain is the command: the list, and the outputs of scripts.
func reportMain(files []string) error {
	if len(files) < 2 {
		return errors.New("say the list and at least one output")
	}
	f, err := os.Open(files[0])
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := readList(f)
	if err != nil {
		return fmt.Errorf("%s: %w", files[0], err)
	}
	var scripts []*script
	for _, file := range files[1:] {
		name, _, _ := strings.Cut(filepath.Base(file), "-")
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		s, err := readScript(name, f)
		_ = f.Close()
		if err != nil {
			return err
		}
		scripts = append(scripts, s)
	}
	return report(os.Stdout, scripts, l)
}
