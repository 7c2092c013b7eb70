package fsck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/repo"
)

// repository checks one repository from what is stored.
func (c *Checker) repository(ctx context.Context, r *Report, of Repository) (err error) {
	snap, err := c.Store.Snapshot(ctx, of.ID)
	if err != nil {
		return err
	}
	r.Counts.Repositories++
	r.Counts.Refs += snap.Refs.Len()
	dir := filepath.Join(c.Scratch, string(of.ID))
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := repo.WriteBare(dir, snap); err != nil {
		return fmt.Errorf("make a scratch repository: %w", err)
	}
	if err := c.packs(ctx, r, of, snap, dir); err != nil {
		return err
	}
	if err := c.objects(ctx, r, of, dir); err != nil {
		return err
	}
	if err := c.refs(ctx, r, of, snap, dir); err != nil {
		return err
	}
	if err := c.lfs(ctx, r, of); err != nil {
		return err
	}
	return c.history(ctx, r, of, snap)
}

// objects lets git check every object of the scratch repository, and that everything is
// there that one of them refers to, by the rules that a push has to keep.
func (c *Checker) objects(ctx context.Context, r *Report, of Repository, dir string) error {
	cmd := c.Git.Command("fsck").GitDir(dir).Config("safe.directory", "*").Class(gitcmd.Tidying).
		Flag("--full").Flag("--strict").Flag("--no-dangling").Flag("--no-progress")
	for rule := range strings.SplitSeq(repo.FsckRules, ",") {
		name, how, _ := strings.Cut(rule, "=")
		cmd = cmd.Config("fsck."+name, how)
	}
	said := &lines{limit: maxFindings}
	err := cmd.Stdout(said).Stderr(said).Run(ctx)
	if _, ok := gitcmd.ExitCode(err); err != nil && !ok {
		return err
	}
	if err == nil {
		return nil
	}
	said.flush()
	for _, line := range said.kept {
		r.add(of, Objects, "", strings.ReplaceAll(line, dir+string(filepath.Separator), ""))
	}
	r.Omitted += said.more
	if len(said.kept) == 0 {
		r.add(of, Objects, "", "git fsck failed and did not say why: "+err.Error())
	}
	return nil
}

// lines keeps the first lines that are written to it, and counts the others. What git
// merely remarks is left out.
type lines struct {
	limit int
	kept  []string
	more  int
	part  []byte
}

// maxLine bounds what is kept of one line.
const maxLine = 500

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	for _, c := range p {
		if c == '\n' {
			l.flush()
		} else if len(l.part) < maxLine {
			l.part = append(l.part, c)
		}
	}
	return len(p), nil
}

func (l *lines) flush() {
	line := string(l.part)
	l.part = l.part[:0]
	switch {
	case line == "" || strings.HasPrefix(line, "notice:") || strings.HasPrefix(line, "dangling "):
	case len(l.kept) == l.limit:
		l.more++
	default:
		l.kept = append(l.kept, line)
	}
}
