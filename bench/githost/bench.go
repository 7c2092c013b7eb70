package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	git     git
	work    string // kept: corpora, installed peers
	dir     string // of this run
	turns   int
	spawns  *spawns
	corpora map[string]*made
	key     sshKey
	open    *conversation    // of the workload that is measured, if it needs one
	there   map[string]bool  // repositories that a host has, as HOST/REPOSITORY
	needed  map[string]error // what came of bringing it a corpus, likewise
}

func newBench(g git, work, dir string, turns int) *bench {
	return &bench{
		git: g, work: work, dir: dir, turns: turns, spawns: watchSpawns(),
		corpora: map[string]*made{}, there: map[string]bool{}, needed: map[string]error{},
	}
}

// bring makes a repository on the host and pushes a corpus into it: its branch and its
// tag, as one who brings a repository does.
func (b *bench) bring(ctx context.Context, h host, corpus, repository string) error {
	key := h.name() + "/" + repository
	if !b.there[key] {
		if err := h.create(ctx, repository); err != nil {
			return err
		}
		b.there[key] = true
	}
	return b.push(ctx, h, corpus, repository, "refs/heads/main:refs/heads/main", "refs/tags/v1:refs/tags/v1")
}

// need brings a corpus to a host that does not have it, with all of its refs, and
// tidies it: once. What went wrong then is told again.
func (b *bench) need(ctx context.Context, h host, corpus string) error {
	key := h.name() + "/" + corpus
	if err, done := b.needed[key]; done {
		return err
	}
	b.needed[key] = b.complete(ctx, h, corpus)
	return b.needed[key]
}

func (b *bench) complete(ctx context.Context, h host, corpus string) error {
	m := b.corpora[corpus]
	if l, limited := h.(interface{ mostRefs() int }); limited && m.refs() > l.mostRefs() {
		return errNot
	}
	into := h
	if f, replays := h.(*floor); replays {
		into = f.backend
	}
	if !b.there[h.name()+"/"+corpus] {
		if err := b.bring(ctx, into, corpus, corpus); err != nil {
			return fmt.Errorf("bring it %s: %w", corpus, err)
		}
	}
	if err := b.others(ctx, into, m); err != nil {
		return fmt.Errorf("bring it the refs of %s: %w", corpus, err)
	}
	if err := h.tidy(ctx, corpus); err != nil {
		return err
	}
	_, err := h.server().quiet(ctx, settleSpell)
	return err
}

// others makes the refs of the corpus that bring did not push.
func (b *bench) others(ctx context.Context, h host, m *made) error {
	r := h.remote(m.name)
	if !strings.HasPrefix(r.url, "http:") {
		return b.push(ctx, h, m.name, m.name, "refs/heads/v/*:refs/heads/v/*")
	}
	for updates := range slices.Chunk(m.others(), refsAtOnce) {
		if err := makeRefs(ctx, r, updates); err != nil {
			return err
		}
	}
	return nil
}

// refsAtOnce is how many refs are made with one push: hosts limit that.
const refsAtOnce = 3000

// measure runs the workloads on a host and puts what they cost into the table.
func (b *bench) measure(ctx context.Context, h host, rows []workload, t *table) error {
	if err := h.start(ctx); err != nil {
		return err
	}
	defer h.stop()
	for _, w := range rows {
		r, err := b.row(ctx, h, w)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errNot):
			continue
		case err != nil:
			t.fail(h.name(), w.name, err)
			fmt.Fprintf(os.Stderr, "%s: %s: %v\n", h.name(), w.name, err)
			continue
		}
		t.set(h.name(), w.name, r)
		fmt.Fprintf(os.Stderr, "%s: %s: %s\n", h.name(), w.name, r)
	}
	return nil
}

// rowMost is how long a row may take on one host.
const rowMost = 15 * time.Minute

func (b *bench) row(ctx context.Context, h host, w workload) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, rowMost)
	defer cancel()
	if _, shell := h.(*sshd); shell && !w.ssh {
		return result{}, errNot
	}
	if w.corpus != "" {
		if err := b.need(ctx, h, w.corpus); err != nil {
			return result{}, err
		}
	}
	return w.measure(ctx, b, h)
}

// sshClone clones a branch with git, whose SSH is OpenSSH's.
func (b *bench) sshClone(ctx context.Context, h host, branch string) error {
	url, err := h.ssh(ctx, "small", b.key)
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "ssh-clone")
	defer os.RemoveAll(dir)
	g := b.git.as("GIT_SSH_COMMAND=ssh " + strings.Join(sshOptions(b.key), " "))
	_, err = g.run(ctx, "", "clone", "--quiet", "--bare", "--single-branch", "--branch", branch, url, dir)
	return err
}

// sshOptions keep OpenSSH's client from what the user has configured and remembers.
func sshOptions(k sshKey) []string {
	return []string{
		"-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i", k.file,
	}
}
