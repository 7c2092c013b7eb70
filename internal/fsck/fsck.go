package fsck

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/repo"
)

// Checker checks a host. All fields but Link are required.
type Checker struct {
	Store Store
	Blobs blob.Store
	Git   *gitcmd.Git

	// Scratch is a folder to work in. It is made, and removed at the end; one that a
	// crash left is removed first.
	Scratch string

	// Accounts are those whose decisions are verified, by Verify, which answers a
	// [Tampered] error for a chain that is not as it was written.
	Accounts []string
	Verify   func(ctx context.Context, account string) error
	Tampered error

	// Link makes a file a second name of a blob, which saves a copy. It may be nil or
	// fail.
	Link func(key, path string) error
}

// pageSize is how many rows are read at once.
const pageSize = 200

// Run checks everything. An error says that the check could not be made; what is wrong
// with the host is in the report.
func (c *Checker) Run(ctx context.Context) (_ *Report, err error) {
	if err := os.RemoveAll(c.Scratch); err != nil {
		return nil, fmt.Errorf("clear the scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Scratch)) }()
	r := &Report{}
	wrong, err := c.Store.Integrity(ctx)
	if err != nil {
		return nil, fmt.Errorf("check the database: %w", err)
	}
	for _, w := range wrong {
		r.add(Repository{}, Database, "", w)
	}
	for after := repo.ID(""); ; {
		page, err := c.Store.Repositories(ctx, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list repositories: %w", err)
		}
		for _, of := range page {
			if err := c.repository(ctx, r, of); err != nil {
				return nil, fmt.Errorf("check repository %s (%s): %w", of.Name, of.ID, err)
			}
			after = of.ID
		}
		if len(page) < pageSize {
			break
		}
	}
	if err := c.decisions(ctx, r); err != nil {
		return nil, err
	}
	return r, c.notes(ctx, r)
}

func (c *Checker) decisions(ctx context.Context, r *Report) error {
	for _, account := range c.Accounts {
		r.Counts.Accounts++
		switch err := c.Verify(ctx, account); {
		case errors.Is(err, c.Tampered):
			r.add(Repository{}, DecisionLog, "account "+account, err.Error())
		case err != nil:
			return fmt.Errorf("verify the decisions of account %s: %w", account, err)
		}
	}
	return nil
}

// maxNotes bounds the dead packs that are listed, and the dead objects, and the orphans.
const maxNotes = 1000

// notes lists what maintenance will delete.
func (c *Checker) notes(ctx context.Context, r *Report) error {
	dead, err := c.Store.Dead(ctx, maxNotes)
	if err != nil {
		return fmt.Errorf("list dead packs: %w", err)
	}
	for _, d := range dead {
		r.Notes = append(r.Notes, Note{Kind: "dead-pack", Subject: string(d.Repository) + "/" + d.ID, Bytes: d.Size, Since: d.Died})
	}
	objects, err := c.Store.DeadObjects(ctx, maxNotes)
	if err != nil {
		return fmt.Errorf("list dead objects of Git LFS: %w", err)
	}
	for _, d := range objects {
		r.Notes = append(r.Notes, Note{Kind: "dead-object", Subject: d.Key, Since: d.Died})
	}
	var failed error
	err = c.Blobs.List(ctx, "", func(b blob.Info) bool {
		key, ok := repo.RowKey(b.Key)
		if !ok {
			return true
		}
		listed, err := c.Store.Listed(ctx, key)
		if err == nil && !listed && len(r.Notes) < 3*maxNotes {
			r.Notes = append(r.Notes, Note{Kind: "orphan", Subject: b.Key, Bytes: b.Size, Since: b.Created})
		}
		failed = err
		return err == nil
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	return nil
}
