package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// The statuses of "refward policy" are those of the process, and said by nobody else.
func TestPolicyStatus(t *testing.T) {
	for _, tc := range []struct {
		in     string
		args   []string
		status int
	}{
		{`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`, []string{"explain", "-"}, exitOK},
		{`{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}`, []string{"explain", "-"}, 1},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"policy", tc.args[0], "--action", "codecommit:GitPull", "--resource", "*"}, tc.args[1:]...)
		p := program{args: args, in: strings.NewReader(tc.in), out: &out, err: &errs}
		if status := p.run(t.Context()); status != tc.status || errs.Len() > 0 || out.Len() == 0 {
			t.Errorf("%s: status %d\n%s%s", tc.in, status, out.String(), errs.String())
		}
	}
	if code, _, errs := play(t, nil, "policy"); code != exitUsage || !strings.HasPrefix(errs, "Usage: refward policy") {
		t.Errorf("status %d: %s", code, errs)
	}
}

// An interrupt ends a command that waits for standard input.
func TestPolicyInterrupt(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	in, w := io.Pipe()
	defer w.Close()
	ended := make(chan int, 1)
	go func() {
		p := program{args: []string{"policy", "decide"}, in: in, out: io.Discard, err: io.Discard}
		ended <- p.run(ctx)
	}()
	// Once this is written the command has read it and waits for the rest.
	if _, err := io.WriteString(w, `{"id": `); err != nil {
		t.Fatal(err)
	}
	interrupt()
	if status := <-ended; status != exitUsage {
		t.Errorf("status %d", status)
	}
}
