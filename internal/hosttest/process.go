package hosttest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/secret"
)

// startTimeout bounds how long a process may take to answer: a machine under load
// takes its time to load a binary.
const startTimeout = time.Minute

// binaries are the command, built once for all tests of a test binary, by build tags.
var binaries = struct {
	sync.Mutex
	paths map[string]string
}{paths: map[string]string{}}

// Binary returns the path of the command, built from this module. TestMain removes it
// with RemoveBinary.
func Binary(t testing.TB) string {
	t.Helper()
	return binaryWith(t, "")
}

// binaryWith is Binary with build tags.
func binaryWith(t testing.TB, tags string) string {
	t.Helper()
	Need(t, "go")
	binaries.Lock()
	defer binaries.Unlock()
	if path := binaries.paths[tags]; path != "" {
		return path
	}
	dir, err := os.MkdirTemp("", "refward-test-binary-")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "refward")
	out, err := exec.Command("go", "build", "-tags", tags, "-o", path, "github.com/refward/refward/cmd/refward").CombinedOutput()
	if err != nil {
		_ = os.RemoveAll(dir)
		t.Fatalf("build refward: %v\n%s", err, out)
	}
	binaries.paths[tags] = path
	return path
}

// RemoveBinary removes what Binary built, if it did.
func RemoveBinary() {
	binaries.Lock()
	defer binaries.Unlock()
	for _, path := range binaries.paths {
		_ = os.RemoveAll(filepath.Dir(path))
	}
}

// Process is a host that runs as a process of its own.
type Process struct {
	person.Place
	Account string
	Dir     string
	Data    string
	Root    *person.Person

	binary string
	args   []string
	step   string // at which the process ends itself; see Arm
	keyID  string
	key    string
	cmd    *exec.Cmd
	log    *testLog
}

// StartProcess runs "refward serve" with these arguments more, until the test ends.
func StartProcess(t testing.TB, args ...string) *Process {
	t.Helper()
	Need(t, "git")
	dir := t.TempDir()
	p := &Process{
		Place: person.Place{Region: Region}, Account: "123456789012", Dir: dir, Data: filepath.Join(dir, "data"),
		binary: Binary(t), args: args, keyID: secret.NewID(secret.AccessKey), key: secret.NewAccessKeySecret().Reveal(),
		log: &testLog{},
	}
	t.Cleanup(func() {
		if p.cmd != nil {
			p.Kill(t)
		}
		if t.Failed() {
			t.Logf("the end of the host's log:\n%s", p.log.end())
		}
	})
	p.start(t)
	p.Root = newRoot(t, p.Place, dir, p.keyID, p.key)
	return p
}

// start starts the process on the port it had before, if any, and waits until it says
// that it answers.
func (p *Process) start(t testing.TB) {
	t.Helper()
	listen := "127.0.0.1:0"
	if p.URL != "" {
		listen = strings.TrimPrefix(p.URL, "http://")
	}
	p.cmd = exec.Command(p.binary, append([]string{
		"serve", "--data-dir", p.Data, "--listen", listen, "--ssh-listen", "127.0.0.1:0", "--account-id", p.Account, "--region", Region,
	}, p.args...)...)
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "REFWARD_ROOT_ACCESS_KEY_ID=" + p.keyID, "REFWARD_ROOT_SECRET_ACCESS_KEY=" + p.key}
	p.cmd.Env = append(p.cmd.Env, "FAILPOINT="+p.step)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.Data, "endpoints.json")
	Eventually(t, startTimeout, "the host answers", func() bool {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
		var ends struct{ HTTP string }
		if err := errors.Join(err, json.Unmarshal(b, &ends)); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		p.URL = ends.HTTP
		return true
	})
}

// Kill ends the process as a power cut does, and waits until it is gone.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("kill the host: %v", err)
	}
	_ = p.cmd.Wait() // "signal: killed"
	_ = os.Remove(filepath.Join(p.Data, "endpoints.json"))
	p.cmd = nil
}

// Arm makes the process end itself, as Kill does, when it reaches a step of package
// failpoint after the next start. Empty: no more.
func (p *Process) Arm(t testing.TB, step string) {
	t.Helper()
	p.binary, p.step = binaryWith(t, "failpoint"), step
}

// Command is another use of the command that the host is run by, with its data directory:
// of a host that does not run. It dies at the step that was armed.
func (p *Process) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.binary, append(args, "--data-dir", p.Data)...)
	cmd.Env = append(os.Environ(), "FAILPOINT="+p.step)
	return cmd
}

// Gone waits until the process has ended by itself.
func (p *Process) Gone(t testing.TB) {
	t.Helper()
	late := time.AfterFunc(startTimeout, func() {
		t.Error("the host still runs")
		_ = p.cmd.Process.Kill()
	})
	_ = p.cmd.Wait() // "signal: killed"
	late.Stop()
	_ = os.Remove(filepath.Join(p.Data, "endpoints.json"))
	p.cmd = nil
}

// Restart starts the process again after Kill, on the same port and data.
func (p *Process) Restart(t testing.TB) {
	t.Helper()
	p.start(t)
}

// Terminate sends SIGTERM and returns the exit status.
func (p *Process) Terminate(t testing.TB) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	code := p.cmd.ProcessState.ExitCode()
	p.cmd = nil
	return code
}

// PID returns the process's ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log returns what the process has printed so far.
func (p *Process) Log() string { return p.log.String() }

// Eventually asks until the answer is yes, and fails the test when it takes too long.
func Eventually(t testing.TB, most time.Duration, what string, ask func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(most)
	for !ask() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %v: %s", most, what)
		}
	}
}
