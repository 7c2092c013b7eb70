package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	open    *conversation   // of the workload that is measured, if it needs one
	there   map[string]bool // repositories that a host has, as HOST/REPOSITORY
	tidied  map[string]bool
}

// bring makes a repository on the host and pushes a corpus into it.
func (b *bench) bring(ctx context.Context, h host, corpus, repository string) error {
	key := h.name() + "/" + repository
	if !b.there[key] {
		if err := h.create(ctx, repository); err != nil {
			return err
		}
		b.there[key] = true
	}
	m := b.corpora[corpus]
	if err := b.push(ctx, h, corpus, repository, m.specs()...); err != nil {
		return err
	}
	for from := 0; from < m.topics; from += topicsAtOnce {
		var updates []update
		for i := from; i < min(from+topicsAtOnce, m.topics); i++ {
			updates = append(updates, update{topic(i), m.tips[topic(i)]})
		}
		if err := makeRefs(ctx, h.remote(repository), updates); err != nil {
			return err
		}
	}
	return nil
}

// topicsAtOnce is how many refs are made with one push: hosts limit that.
const topicsAtOnce = 3000

// need brings a corpus to a host that does not have it, and tidies it once.
func (b *bench) need(ctx context.Context, h host, corpus string) error {
	key := h.name() + "/" + corpus
	if !b.there[key] {
		into := h
		if f, replays := h.(*floor); replays {
			into = f.backend
		}
		if err := b.bring(ctx, into, corpus, corpus); err != nil {
			return fmt.Errorf("bring it %s: %w", corpus, err)
		}
		b.there[key] = true
	}
	if b.tidied[key] {
		return nil
	}
	b.tidied[key] = true
	return h.tidy(ctx, corpus)
}

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

func (b *bench) row(ctx context.Context, h host, w workload) (result, error) {
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
