package gitcmd

import (
	"errors"
	"os/exec"
	"testing"
)

// TestQuickerThanItsLimit: what a process allocated before it was limited is found.
func TestQuickerThanItsLimit(t *testing.T) {
	cmd := exec.Command("sh", "-c", `x=$(head -c 20000000 /dev/zero | tr '\0' x); echo ready; read y`)
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
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = in.Close() }()
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if err := checkMemory(cmd.Process.Pid, 10<<20); !errors.Is(err, errGreedy) {
		t.Errorf("20 MB of 10 MiB: %v", err)
	}
	if err := checkMemory(cmd.Process.Pid, 1<<30); err != nil {
		t.Errorf("20 MB of 1 GiB: %v", err)
	}
}
