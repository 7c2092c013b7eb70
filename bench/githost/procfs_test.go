package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	// The name of the command is git's own to choose, blanks and parentheses included.
	const line = "4242 (a) b (c) S 17 4242 4242 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 9 0 12345 678 90 0 0\n"
	got, err := parseStat([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	if want := (stat{state: 'S', parent: 17, used: 3520 * tick}); got != want {
		t.Errorf("parseStat = %+v, want %+v", got, want)
	}
	for _, bad := range [...]string{"", "1 (a", "1 (a) S 0 1", strings.Replace(line, " 17 ", " x ", 1), strings.Replace(line, " 3000 ", " 3e3 ", 1)} {
		if got, err := parseStat([]byte(bad)); !errors.Is(err, errStat) {
			t.Errorf("parseStat(%q) = %+v, %v, want errStat", bad, got, err)
		}
	}
}

func TestTree(t *testing.T) {
	all := map[int]stat{1: {parent: 0}, 2: {parent: 1}, 3: {parent: 1}, 4: {parent: 2}, 5: {parent: 4}, 6: {parent: 3}}
	for root, want := range map[int][]int{2: {2, 4, 5}, 3: {3, 6}, 5: {5}, 9: nil} {
		got := tree(all, root)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("tree(%d) = %v, want %v", root, got, want)
		}
	}
}

// spin uses a core for a fifth of a second, in a child of a child, and waits for both.
const spin = `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; :`

// TestTimeOfChildren: what children used is still there when they have ended, and is
// the same whether the kernel's groups count or /proc is read.
func TestTimeOfChildren(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", spin+"; echo done; read end")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil { // the children have ended
		t.Fatal(err)
	}
	used, err := treeTime(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	_ = cmd.Wait() // read fails at the end of its input
	whole := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	// Each of the eight numbers that were added is cut to a tick.
	if used < whole-8*tick || used > whole+tick || used < 2*tick {
		t.Errorf("treeTime = %v while it ran; wait4 says %v", used, whole)
	}
}

func TestTreeTimeOfNobody(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if used, err := treeTime(cmd.Process.Pid); err == nil {
		t.Errorf("treeTime of a process that has ended = %v, want an error", used)
	}
}

func TestCgroupCounts(t *testing.T) {
	g, err := newCgroup("test")
	if errors.Is(err, errNoCgroup) {
		t.Skip("no control group can be made here: run as root to test them")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer g.remove()
	args := g.inside([]string{"/bin/sh", "-c", spin})
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	used, err := g.used()
	if err != nil {
		t.Fatal(err)
	}
	whole := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if used < whole/2 || used > whole+100*time.Millisecond {
		t.Errorf("the group used %v; wait4 says %v", used, whole)
	}
}

func TestParseUsage(t *testing.T) {
	for _, c := range [...]struct {
		in, key string
		want    time.Duration
	}{
		{"1234567\n", "", 1234567},
		{"usage_usec 51\nuser_usec 40\nsystem_usec 11\n", "usage_usec", 51 * time.Microsecond},
	} {
		if got, err := parseUsage([]byte(c.in), c.key); got != c.want || err != nil {
			t.Errorf("parseUsage(%q, %q) = %v, %v, want %v", c.in, c.key, got, err, c.want)
		}
	}
	if got, err := parseUsage([]byte("user_usec 40\n"), "usage_usec"); err == nil {
		t.Errorf("parseUsage without the line = %v, want an error", got)
	}
}
