package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/secret"
)

// Defaults of a [Config].
const (
	DefaultDataDir   = "refward-data"
	DefaultListen    = "127.0.0.1:8417"
	DefaultSSHListen = "127.0.0.1:8422"
	DefaultRegion    = "us-east-1"
	DefaultDrain     = 30 * time.Second
	DefaultMaxPack   = int64(4) << 30
	DefaultMaxBlob   = int64(2) << 30 // CodeCommit's limit of one file
	DefaultCache     = int64(4) << 30
	DefaultMaxLFS    = int64(5) << 30
)

// Config is how a host is set up. The zero value works.
type Config struct {
	// DataDir is the folder that holds everything the host keeps: the database, packs,
	// the master key, the cache. It is made with mode 0700 and locked while the host
	// runs. Empty: ./refward-data.
	DataDir string

	// Listen is the address, HOST:PORT, where the API and Git over HTTP are served.
	// Port 0 picks a free one. Empty: 127.0.0.1:8417.
	Listen string

	// SSHListen is the address, HOST:PORT, where Git over SSH is served. Port 0 picks a
	// free one. Empty: 127.0.0.1:8422.
	SSHListen string

	// AccountID is the account's 12 digits. Empty: the data directory's own, chosen at
	// random on the first start. It cannot change later.
	AccountID string

	// Region is the AWS region the host says it is. Empty: us-east-1.
	Region string

	// PublicURL is what clients reach the host by; clone URLs begin with it. Empty: made
	// of the address that is listened on.
	PublicURL string

	// RootAccessKeyID and RootSecretAccessKey set the access key of the account's root
	// user, both or neither. Neither: one is made on the first start and written to
	// DataDir/root-credentials.
	RootAccessKeyID     string
	RootSecretAccessKey secret.Text

	// MasterKey seals secrets at rest: the base64 of 32 bytes. Empty: the key in
	// DataDir/master.key, which is made on the first start.
	MasterKey secret.Text

	// TLSCert and TLSKey are the PEM files of a certificate and its key, both or
	// neither. Neither: plain HTTP.
	TLSCert, TLSKey string

	// TrustedProxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are
	// believed. Empty: nobody's, and aws:SourceIp is the address of the connection.
	TrustedProxies []netip.Prefix

	// MaxPackBytes bounds the pack of one push, MaxBlobBytes one file in it. 0: 4 GiB
	// and 2 GiB.
	MaxPackBytes, MaxBlobBytes int64

	// FetchCacheBytes bounds the answers to clones and fetches that are kept on disk, in
	// DataDir/cache, so that whoever asks the same next gets them from there. 0: 4 GiB.
	FetchCacheBytes int64

	// MaxLFSBytes bounds one object of Git LFS. 0: 5 GiB.
	MaxLFSBytes int64

	// Places are how many requests, connections and processes there are at once.
	Places Places

	// DrainTimeout is how long requests may go on once the host was told to stop. 0: 30 s.
	DrainTimeout time.Duration

	// NoMaintenance leaves packs as they come and deletes nothing, until "refward
	// maintenance run" does.
	NoMaintenance bool

	// Maintenance says when packs are consolidated and what is dead is deleted.
	Maintenance maintenance.Options

	// Git is the git binary. Empty: the one on the PATH. 2.39 or newer.
	Git string

	// Log receives the access log and everything else there is to say. Nil: nothing.
	Log *slog.Logger

	// Out receives what a person wants to see at start: addresses, and a generated root
	// key, once. Nil: nothing.
	Out io.Writer

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
var regionPattern = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)
var accessKeyPattern = regexp.MustCompile(`^[A-Za-z0-9_]{1,128}$`)

// withDefaults fills in what was left out, and says what does not fit.
func (c Config) withDefaults() (Config, error) {
	c.DataDir = or(c.DataDir, DefaultDataDir)
	c.Listen = or(c.Listen, DefaultListen)
	c.SSHListen = or(c.SSHListen, DefaultSSHListen)
	c.Region = or(c.Region, DefaultRegion)
	c.DrainTimeout = or(c.DrainTimeout, DefaultDrain)
	c.MaxPackBytes = or(c.MaxPackBytes, DefaultMaxPack)
	c.MaxBlobBytes = or(c.MaxBlobBytes, DefaultMaxBlob)
	c.FetchCacheBytes = or(c.FetchCacheBytes, DefaultCache)
	c.MaxLFSBytes = or(c.MaxLFSBytes, DefaultMaxLFS)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Out == nil {
		c.Out = io.Discard
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return c, c.check()
}

func or[T comparable](given, otherwise T) T {
	var zero T
	if given == zero {
		return otherwise
	}
	return given
}

// check reports everything that is wrong at once, each with what would be right.
func (c Config) check() error {
	var errs []error
	if c.AccountID != "" && !accountPattern.MatchString(c.AccountID) {
		errs = append(errs, fmt.Errorf("account ID %q: it must have 12 digits", c.AccountID))
	}
	if !regionPattern.MatchString(c.Region) {
		errs = append(errs, fmt.Errorf("region %q: it must look like us-east-1", c.Region))
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			errs = append(errs, fmt.Errorf("public URL %q: it must be http or https, a host and perhaps a port, such as https://git.example.com", c.PublicURL))
		}
	}
	if (c.RootAccessKeyID == "") != c.RootSecretAccessKey.IsZero() {
		errs = append(errs, errors.New("root access key: its ID and its secret are given together or not at all"))
	}
	if c.RootAccessKeyID != "" && !accessKeyPattern.MatchString(c.RootAccessKeyID) {
		errs = append(errs, errors.New("root access key ID: it must have 1 to 128 letters, digits and underscores"))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("TLS: the certificate and its key are given together or not at all"))
	}
	if c.MaxPackBytes < 0 || c.MaxBlobBytes < 0 || c.FetchCacheBytes < 0 || c.MaxLFSBytes < 0 || c.Places.LFSUploads < 0 || c.DrainTimeout < 0 {
		errs = append(errs, errors.New("limits must not be negative"))
	}
	errs = append(errs, c.Maintenance.Check())
	return errors.Join(errs...)
}

// tlsConfig loads the certificate, or returns nil for plain HTTP.
func (c Config) tlsConfig() (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("load the TLS certificate: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}
