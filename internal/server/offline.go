package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/refward/refward/internal/blob/dir"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fsck"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/sqlstore"
)

// scratchDir is where fsck works, in the data directory: on the file system of the
// blobs, so that a link can spare a copy.
const scratchDir = "~fsck"

// offline is a data directory whose host does not run.
type offline struct {
	cfg     Config
	dir     *dataDir
	db      *sqlstore.DB
	blobs   *dir.Store
	git     *gitcmd.Git
	closers []func() error
}

// openOffline locks a data directory that exists and opens what is in it. The lock is
// that of a host: neither starts while the other runs.
func openOffline(ctx context.Context, cfg Config) (_ *offline, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("data directory: %w (name it with --data-dir)", err)
	}
	o := &offline{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	if o.dir, err = openDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	o.onClose(o.dir.Close)
	if !o.dir.has(sqlstore.DatabaseFile) {
		return nil, fmt.Errorf("%s holds no host: there is no %s (name its folder with --data-dir)", o.dir.path, sqlstore.DatabaseFile)
	}
	if o.db, err = sqlstore.Open(ctx, sqlstore.Config{Dir: o.dir.path, Log: cfg.Log}); err != nil {
		return nil, err
	}
	o.onClose(o.db.Close)
	if o.blobs, err = dir.Open(o.dir.join("blobs")); err != nil {
		return nil, err
	}
	o.onClose(o.blobs.Close)
	o.git, err = gitcmd.Open(ctx, gitcmd.Options{Path: cfg.Git})
	return o, err
}

func (o *offline) onClose(f func() error) { o.closers = append(o.closers, f) }

// Close gives everything back.
func (o *offline) Close() error {
	var errs []error
	for _, f := range slices.Backward(o.closers) {
		errs = append(errs, f())
	}
	o.closers = nil
	return errors.Join(errs...)
}

// accounts returns the IDs of the accounts.
func (o *offline) accounts(ctx context.Context) (ids []string, err error) {
	err = o.db.IAM().View(ctx, func(ctx context.Context, tx iam.Reader) error {
		all, err := tx.Accounts(ctx)
		for _, a := range all {
			ids = append(ids, a.ID)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	return ids, nil
}

// Fsck checks the host of a data directory, which must not run. It changes nothing but
// the schema of a database that an older version wrote.
func Fsck(ctx context.Context, cfg Config) (_ *fsck.Report, err error) {
	o, err := openOffline(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	accounts, err := o.accounts(ctx)
	if err != nil {
		return nil, err
	}
	decisions := o.db.OpenDecisions(ctx, o.cfg.Log)
	defer func() { err = errors.Join(err, decisions.Close()) }()
	c := &fsck.Checker{
		Store: o.db.Fsck(), Blobs: o.blobs, Git: o.git, Link: o.blobs.Link, Scratch: o.dir.join(scratchDir),
		Accounts: accounts, Tampered: sqlstore.ErrTampered,
		Verify: func(ctx context.Context, account string) error { return decisions.Verify(ctx, account) },
	}
	return c.Run(ctx)
}

// MaintainOptions say what [Maintain] is to do.
type MaintainOptions struct {
	Repository string // the name of the only one to consolidate; empty: every one that is due
	Force      bool   // make one pack with a bitmap of each, due or not
}

// Maintain does at once, on a host that does not run, what a running one does by itself:
// it consolidates what is due, and deletes what has been dead for the grace period.
func Maintain(ctx context.Context, cfg Config, m MaintainOptions) (err error) {
	o, err := openOffline(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	house, err := repo.Open(ctx, repo.Options{
		CacheDir: o.dir.join("cache"), Blobs: o.blobs, Link: o.blobs.Link, Adopt: o.blobs.Adopt, Packs: o.db.Packs(), Git: o.git, Log: o.cfg.Log, Now: o.cfg.Now,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, house.Close()) }()
	w := worker(o.cfg, o.db.Maintenance(), house, newMetrics())
	found, err := o.repositories(ctx, m.Repository)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range found {
		do := w.Look
		if m.Force {
			do = w.Force
		}
		if err := do(ctx, id); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
	return errors.Join(append(errs, w.Delete(ctx))...)
}

// repositories returns the ID of the repository with this name, or all IDs.
func (o *offline) repositories(ctx context.Context, name string) (ids []repo.ID, err error) {
	if name == "" {
		return o.everyRepository(ctx)
	}
	accounts, err := o.accounts(ctx)
	if err != nil {
		return nil, err
	}
	err = o.db.CodeCommit().View(ctx, func(ctx context.Context, tx codecommit.Reader) error {
		for _, account := range accounts {
			r, err := tx.Repository(ctx, account, name)
			if errors.Is(err, codecommit.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			ids = append(ids, r.ID)
		}
		return nil
	})
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("there is no repository %q (names are case-sensitive)", name)
	}
	return ids, err
}

// repositoriesAtOnce is how many are read at once.
const repositoriesAtOnce = 500

func (o *offline) everyRepository(ctx context.Context) (ids []repo.ID, err error) {
	for after := repo.ID(""); ; {
		page, err := o.db.Fsck().Repositories(ctx, after, repositoriesAtOnce)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			ids = append(ids, r.ID)
			after = r.ID
		}
		if len(page) < repositoriesAtOnce {
			return ids, nil
		}
	}
}
