package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a host's server, with what is needed to measure it.
type process struct {
	cmd   *exec.Cmd
	group *cgroup // nil: /proc has to do
	ended chan struct{}
	log   string // file with what it prints
}

// stopTimeout is how long a host may take to end when asked to.
const stopTimeout = 15 * time.Second

// startProcess starts a server in a group of its own, if there are such.
func startProcess(name, dir, log string, env []string, args ...string) (*process, error) {
	p := &process{ended: make(chan struct{}), log: log}
	var err error
	if p.group, err = newCgroup(name); err == nil {
		args = p.group.inside(args)
	} else if !errors.Is(err, errNoCgroup) {
		return nil, err
	}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ends is told by its log
		close(p.ended)
	}()
	return p, nil
}

// answers waits until somebody listens at addr.
func (p *process) answers(ctx context.Context, addr string) error {
	return p.until(ctx, func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// until asks, every now and then, whether the server is ready.
func (p *process) until(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for !ready() {
		select {
		case <-p.ended:
			return fmt.Errorf("it ended at once; its log ends with\n%s", tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer; its log ends with\n%s", tail(p.log))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// used is the CPU time of the server and of everything it has started.
func (p *process) used() (time.Duration, error) {
	if p.group != nil {
		return p.group.used()
	}
	return treeTime(p.pid())
}

// How long a server has to have done nothing to count as done with what it was asked:
// after a turn, and after a repository was brought to it, when queues with timers of
// their own have their work. The shares of a core that idle servers take stay below
// quietUse.
const (
	quietSpell  = 200 * time.Millisecond
	settleSpell = 3 * time.Second
	quietUse    = 2 * time.Millisecond
	quietMost   = 5 * time.Minute
)

// quiet waits until the server is done with what goes on after its answers: children
// that are about to end, queues, caches that are written. That belongs to the
// operations. It returns the time used by then. On a busy machine a server may do
// nothing because it does not get to: none of its processes may be waiting for a core.
func (p *process) quiet(ctx context.Context, spell time.Duration) (time.Duration, error) {
	last, err := p.used()
	for end := time.Now().Add(quietMost); err == nil && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(spell)
		var now time.Duration
		if now, err = p.used(); err != nil {
			break
		}
		busy, err := treeBusy(p.pid())
		if err != nil {
			return now, err
		}
		if !busy && now-last < quietUse+spell/100 {
			return now, nil
		}
		last = now
	}
	return last, err
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the server and everything in its process group.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
	}
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.ended
	if p.group != nil {
		for range 50 { // until those that were killed are gone
			if p.group.remove() == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// tail is the end of a log, for an error message.
func tail(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 2000 {
		_, _ = f.Seek(-2000, io.SeekEnd)
	}
	b, _ := io.ReadAll(f)
	return string(b)
}

// freeAddress is an address on the loopback that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
