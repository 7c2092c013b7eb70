package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/awsapi"
	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/blob/dir"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/gitserver"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
	"github.com/refward/refward/internal/sts"
)

// partition is the one that the host's ARNs are in.
const partition = "aws"

// Server is one host.
type Server struct {
	cfg     Config
	account string

	httpURL, sshURL string // what clone URLs begin with
	ends            endpoints

	dir      *dataDir
	metrics  *metrics
	gates    gates
	checks   []check
	api, git http.Handler
	upkeep   *maintenance.Worker // nil where it is switched off
	ssh      *gitserver.SSH

	listener, sshListener net.Listener
	draining              atomic.Bool
	closers               []func() error // in the order of opening
}

// ground is what everything stands on.
type ground struct {
	keeper *secret.Keeper
	db     *sqlstore.DB
	blobs  *dir.Store
	git    *gitcmd.Git
	hosts  []ssh.Signer // keys of the SSH server
}

// Open builds a host from its configuration: it is the whole wiring, read it top to
// bottom. Its listeners are bound when it returns; [Server.Run] serves them. ctx is
// for the opening alone.
func Open(ctx context.Context, cfg Config) (_ *Server, err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, metrics: newMetrics(), gates: cfg.Places.gates()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	on, err := s.openGround(ctx)
	if err != nil {
		return nil, err
	}
	// The addresses come early: clone URLs are made of them.
	if err := s.listen(ctx); err != nil {
		return nil, err
	}

	// Who is asking, and may they.
	if s.account, err = account(ctx, on.db.IAM(), cfg.AccountID); err != nil {
		return nil, err
	}
	identities := &iam.Service{Store: on.db.IAM(), Keeper: on.keeper, Partition: partition, Account: s.account, Now: cfg.Now, Log: cfg.Log}
	if err := s.ensureRoot(ctx, identities); err != nil {
		return nil, err
	}
	decisions := on.db.OpenDecisions(ctx, cfg.Log)
	s.onClose(decisions.Close)
	verifier := &authn.Verifier{Source: identities, Region: cfg.Region, Now: cfg.Now}
	authorizer := &authz.Authorizer{Source: identities, Log: countedLog{decisions, s.metrics}, Now: cfg.Now}

	// What they may do.
	house, err := repo.Open(ctx, repo.Options{
		CacheDir: s.dir.join("cache"), Blobs: on.blobs, Link: on.blobs.Link, Adopt: on.blobs.Adopt, Packs: on.db.Packs(), Git: on.git, Log: cfg.Log, Now: cfg.Now,
		Answers: cfg.FetchCacheBytes, AnswersWait: cfg.Places.Wait,
	})
	if err != nil {
		return nil, err
	}
	s.onClose(house.Close)
	s.metrics.answers(house)
	s.metrics.places(s.gates.kinds(on.git), house)
	repositories := &codecommit.Service{
		Store: on.db.CodeCommit(), Repos: house, Keeper: on.keeper,
		Partition: partition, Region: cfg.Region, Account: s.account, HTTPURL: s.httpURL, SSHURL: s.sshURL,
		PushLimits: repo.Limits{PackBytes: cfg.MaxPackBytes, BlobBytes: cfg.MaxBlobBytes}, LFSObjectBytes: cfg.MaxLFSBytes, LFSUploads: s.gates.lfsUploads,
		Now: cfg.Now, Log: cfg.Log,
	}
	if !cfg.NoMaintenance {
		s.upkeep = worker(cfg, knownRefs{on.db.Maintenance(), repositories}, house, s.metrics)
		repositories.PackAdded = s.upkeep.PackAdded
	}
	table, err := op.NewTable(note(repositories.Operations()), note(identities.Operations()), note((&sts.Service{Identities: identities}).Operations()))
	if err != nil {
		return nil, err
	}

	// The doors.
	// The largest pack and its commands fit, so that it is the pack's own limit that answers.
	limits := gitserver.Limits{PushBytes: cfg.MaxPackBytes + gitserver.DefaultCommandBytes}
	s.api = s.progress(&awsapi.Handler{
		Table: table, Verifier: verifier, Authorizer: authorizer, Log: cfg.Log, Caller: s.caller,
		Admit: admit(s.gates.api),
	})
	tickets := &authn.Tickets{Keeper: on.keeper, Now: cfg.Now}
	s.git = &gitserver.Handler{
		CodeCommit: repositories, Repos: house, Verifier: verifier, Authorizer: authorizer, Log: cfg.Log, Caller: s.caller, Limits: limits,
		Tickets: tickets, PublicURL: cfg.PublicURL, Admit: admit(s.gates.git),
	}
	s.ssh = &gitserver.SSH{
		CodeCommit: repositories, Repos: house, Keys: identities, Authorizer: authorizer, Log: cfg.Log, Caller: s.sshCaller, Limits: limits,
		HostKeys: on.hosts, Drain: cfg.DrainTimeout, Tickets: tickets, HTTPURL: s.httpURL,
		Admit: admit(s.gates.git), Strangers: s.gates.strangerSSH, Users: s.gates.users, Connections: cfg.Places.SSH,
	}
	s.checks = []check{
		{"metadata", func(ctx context.Context) error { _, err := on.db.IAM().Generation(ctx, s.account); return err }},
		{"packs", func(ctx context.Context) error { return answers(ctx, on.blobs) }},
		{"git", (&rarely{now: cfg.Now, ask: func(ctx context.Context) error {
			_, err := on.git.Command("version").Output(ctx, 1<<10)
			return err
		}}).check},
	}
	return s, nil
}

// openGround locks the data directory and opens what is in it. Each part refuses what
// it could not be trusted on.
func (s *Server) openGround(ctx context.Context) (on ground, err error) {
	if s.dir, err = openDataDir(s.cfg.DataDir); err != nil {
		return on, err
	}
	s.onClose(s.dir.Close)
	if on.keeper, err = secret.OpenKeeper(s.dir.path, s.cfg.MasterKey); err != nil {
		return on, err
	}
	if on.db, err = sqlstore.Open(ctx, sqlstore.Config{Dir: s.dir.path, Alone: true, Log: s.cfg.Log}); err != nil {
		return on, err
	}
	s.onClose(on.db.Close)
	if on.blobs, err = dir.Open(s.dir.join("blobs")); err != nil {
		return on, err
	}
	s.onClose(on.blobs.Close)
	if err := blob.SelfTest(ctx, on.blobs); err != nil {
		return on, err
	}
	if on.git, err = gitcmd.Open(ctx, gitcmd.Options{
		Path: s.cfg.Git, Sending: s.cfg.Places.Send, Receiving: s.cfg.Places.Receive, Wait: s.cfg.Places.Wait,
	}); err != nil {
		return on, err
	}
	key, err := gitserver.HostKey(s.dir.join(hostKeyFile))
	on.hosts = []ssh.Signer{key}
	return on, err
}

// onClose remembers what to close, last opened first.
func (s *Server) onClose(f func() error) { s.closers = append(s.closers, f) }

// Close gives back everything that Open took. It must not be called while Run runs.
// It may be called again.
func (s *Server) Close() error {
	var errs []error
	for _, f := range slices.Backward(s.closers) {
		errs = append(errs, f())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// listen binds both listeners and works out by which URLs clients reach them.
func (s *Server) listen(ctx context.Context) error {
	tlsConfig, err := s.cfg.tlsConfig()
	if err != nil {
		return err
	}
	if s.listener, err = s.bind(ctx, s.cfg.Listen, "--listen"); err != nil {
		return err
	}
	if s.sshListener, err = s.bind(ctx, s.cfg.SSHListen, "--ssh-listen"); err != nil {
		return err
	}
	s.listener = &metListener{Listener: s.listener, gate: s.gates.strangerHTTP, holder: s.strangerOf}
	scheme := "http"
	if tlsConfig != nil {
		scheme = "https"
		s.listener = tls.NewListener(s.listener, tlsConfig)
	}
	s.ends = endpoints{HTTP: scheme + "://" + reachable(s.listener.Addr()), SSH: "ssh://" + reachable(s.sshListener.Addr())}
	s.httpURL, s.sshURL = s.ends.HTTP, s.ends.SSH
	if s.cfg.PublicURL != "" {
		s.httpURL, s.sshURL = s.cfg.PublicURL, publicSSH(s.cfg.PublicURL, s.sshListener.Addr())
	}
	return nil
}

func (s *Server) bind(ctx context.Context, address, flag string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w (choose another address with %s; port 0 picks a free one)", err, flag)
	}
	s.onClose(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// publicSSH is the SSH URL of a host with a public URL: its name, and the port that is
// listened on.
func publicSSH(public string, a net.Addr) string {
	_, port, err := net.SplitHostPort(a.String())
	u, parsed := url.Parse(public)
	if err = errors.Join(err, parsed); err != nil || port == "22" {
		return "ssh://" + u.Hostname()
	}
	return "ssh://" + net.JoinHostPort(u.Hostname(), port)
}

// reachable is an address as a client on this machine writes it.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(strings.Split(host, "%")[0]); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// URL returns where the API and Git over HTTP are served.
func (s *Server) URL() string { return s.ends.HTTP }

// Account returns the account's ID.
func (s *Server) Account() string { return s.account }

// account returns the ID of the data directory's account, and chooses one where there
// is none yet.
func account(ctx context.Context, store iam.Store, given string) (string, error) {
	var kept []iam.Account
	err := store.View(ctx, func(ctx context.Context, tx iam.Reader) (err error) {
		kept, err = tx.Accounts(ctx)
		return err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("read the account: %w", err)
	case len(kept) == 0 && given != "":
		return given, nil
	case len(kept) == 0:
		return newAccountID()
	case given != "" && given != kept[0].ID:
		return "", fmt.Errorf("account ID %s: this data directory belongs to account %s, and its ARNs cannot change (leave --account-id out, or choose another --data-dir)", given, kept[0].ID)
	}
	return kept[0].ID, nil
}
