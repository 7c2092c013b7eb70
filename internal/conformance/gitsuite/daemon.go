package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout bounds how long a process may take to answer.
	startTimeout = time.Minute

	// idle is how long nothing may be asked before the server ends by itself: a test
	// script that was killed does not stop what it started.
	idle = 10 * time.Minute
)

// The files in the server's folder.
const (
	pidFile   = "httpd.pid"
	accessLog = "access.log"
	errorLog  = "error.log"
)

// start runs the server in the background, as Apache does, and returns once it answers.
// It stays in the process group of the test script, and ends with it.
func start(ctx context.Context, c command) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.Command(self, "-d", c.root, "-c", "Listen "+c.listen, "-k", "serve")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{tell}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, tell.Close())
	}
	_ = tell.Close()
	_ = ready.SetReadDeadline(time.Now().Add(startTimeout))
	if line, err := bufio.NewReader(ready).ReadString('\n'); line != "ready\n" {
		_ = cmd.Process.Kill()
		return fmt.Errorf("the server did not start: %w; see %s", err, filepath.Join(c.root, errorLog))
	}
	return os.WriteFile(filepath.Join(c.root, pidFile), fmt.Appendln(nil, cmd.Process.Pid), 0o644)
}

// end ends the server that start started, and waits until it is gone.
func end(ctx context.Context, c command) error {
	b, err := os.ReadFile(filepath.Join(c.root, pidFile))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	return until(ctx, "the server ends", func() (bool, error) { return syscall.Kill(pid, 0) != nil, nil })
}

// serve is the server itself. It says "ready" on its descriptor 3.
func serve(ctx context.Context, c command) (err error) {
	log, err := os.OpenFile(filepath.Join(c.root, errorLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	defer func() {
		if err != nil {
			fmt.Fprintln(log, err)
		}
	}()
	h, err := startHost(ctx, filepath.Join(c.root, "refward"), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	l, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	f := newFront(c.root, h, log)
	fmt.Println(sayStarted)
	server := &http.Server{Handler: f, ReadHeaderTimeout: startTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	if _, err := io.WriteString(os.NewFile(3, "ready"), "ready\n"); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-f.idle(idle):
	case err = <-served:
		return err
	}
	return server.Close()
}

// until asks until the answer is yes.
func until(ctx context.Context, what string, ask func() (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := ask(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("not in time: %s: %w", what, ctx.Err())
		}
	}
}
