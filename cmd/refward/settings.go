package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/server"
)

// envPrefix begins every variable of the environment that is ours.
const envPrefix = "REFWARD_"

// envTest begins those that tests read and the command ignores.
const envTest = "REFWARD_TEST_"

// options are what the settings fill in.
type options struct {
	server.Config
	logFormat string
	logLevel  slog.Level
}

// setting is one thing that can be set: by a flag, by the environment, or, for a
// secret, which a process list would show, by the environment alone.
type setting struct {
	name    string // "data-dir"
	value   string // "DIR", in the manual; empty for a flag without a value
	means   string // in the manual, with the default
	envOnly bool
	set     func(o *options, v string) error
}

// env is the variable that sets it.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

func text(field func(*options) *string) func(*options, string) error {
	return func(o *options, v string) error {
		*field(o) = v
		return nil
	}
}

func size(field func(*options) *int64) func(*options, string) error {
	return func(o *options, v string) (err error) {
		*field(o), err = parseSize(v)
		return err
	}
}

func hidden(field func(*options) *secret.Text) func(*options, string) error {
	return func(o *options, v string) error {
		*field(o) = secret.NewText(v)
		return nil
	}
}

// settings is everything that can be set, in the order of the manual.
func settings() []setting {
	return []setting{
		{"data-dir", "DIR", "the folder that holds everything; made with mode 0700 (./" + server.DefaultDataDir + ")", false,
			text(func(o *options) *string { return &o.DataDir })},
		{"listen", "HOST:PORT", "where the API and Git over HTTP are served; port 0 picks a free one (" + server.DefaultListen + ")", false,
			text(func(o *options) *string { return &o.Listen })},
		{"ssh-listen", "HOST:PORT", "where Git over SSH is served (" + server.DefaultSSHListen + ")", false,
			text(func(o *options) *string { return &o.SSHListen })},
		{"account-id", "12DIGITS", "the account's ID (chosen on the first start, and kept)", false,
			text(func(o *options) *string { return &o.AccountID })},
		{"region", "REGION", "the AWS region the host says it is (" + server.DefaultRegion + ")", false,
			text(func(o *options) *string { return &o.Region })},
		{"public-url", "URL", "what clients reach the host by; clone URLs begin with it (made of --listen)", false,
			text(func(o *options) *string { return &o.PublicURL })},
		{"tls-cert", "FILE", "certificate, PEM; with --tls-key (none: plain HTTP)", false,
			text(func(o *options) *string { return &o.TLSCert })},
		{"tls-key", "FILE", "its private key, PEM", false,
			text(func(o *options) *string { return &o.TLSKey })},
		{"trusted-proxies", "CIDR,...", "networks whose X-Forwarded-For and -Proto are believed (none)", false, setProxies},
		{"max-pack", "SIZE", "largest pack of one push (4G)", false,
			size(func(o *options) *int64 { return &o.MaxPackBytes })},
		{"max-blob", "SIZE", "largest file in a push (2G)", false,
			size(func(o *options) *int64 { return &o.MaxBlobBytes })},
		{"fetch-cache", "SIZE", "most that answers to fetches take in DIR/cache, to be given again (4G)", false,
			size(func(o *options) *int64 { return &o.FetchCacheBytes })},
		{"max-lfs-object", "SIZE", "largest object of Git LFS (5G)", false,
			size(func(o *options) *int64 { return &o.MaxLFSBytes })},
		{"lfs-uploads", "N", "objects of Git LFS uploaded at once, a quarter of them by one user (64)", false, setUploads},
		{"drain-timeout", "DURATION", "how long requests may go on after SIGTERM (30s)", false,
			duration(func(o *options) *time.Duration { return &o.DrainTimeout })},
		{"maintenance", "on|off", "consolidate packs and delete what is dead, while the host runs (on)", false, setMaintenance},
		{"maintenance-interval", "DURATION", "time between two sweeps over all repositories (1h)", false,
			duration(func(o *options) *time.Duration { return &o.Maintenance.Interval })},
		{"maintenance-packs", "N", "packs that a repository has when they are consolidated (32)", false, setPacks},
		{"retention", "DURATION", "how long files that nothing names any more are kept; longer than a backup takes (48h)", false,
			duration(func(o *options) *time.Duration { return &o.Maintenance.Grace })},
		{"git", "FILE", "the git binary, 2.39 or newer (the one on the PATH)", false,
			text(func(o *options) *string { return &o.Git })},
		{"log-format", "text|json", "form of the log on standard error (text)", false, setLogFormat},
		{"log-level", "LEVEL", "debug, info, warn or error (info)", false, setLogLevel},
		{"root-access-key-id", "", "the root user's access key ID; with the next one (made on the first start)", true,
			text(func(o *options) *string { return &o.RootAccessKeyID })},
		{"root-secret-access-key", "", "its secret", true,
			hidden(func(o *options) *secret.Text { return &o.RootSecretAccessKey })},
		{"master-key", "", "base64 of 32 bytes that seal the secrets at rest (DIR/" + secret.KeyFile + ")", true,
			hidden(func(o *options) *secret.Text { return &o.MasterKey })},
	}
}

// parse reads the command line of serve, and for what it leaves open the environment.
func parse(args, environ []string) (options, error) {
	return parseFor("serve", args, environ, nil, nil)
}

// parseFor reads the command line of a command that knows the settings of these names
// (nil: all), and more flags of its own. The environment may hold every setting: it is
// that of a host, not of one command.
func parseFor(command string, args, environ, known []string, own []setting) (options, error) {
	var o options
	byFlag := map[string]bool{}
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	flags := slices.Clone(own)
	for _, s := range settings() {
		if !s.envOnly && (known == nil || slices.Contains(known, s.name)) {
			flags = append(flags, s)
		}
	}
	for _, s := range flags {
		set := func(v string) error {
			byFlag[s.name] = true
			return s.set(&o, v)
		}
		if s.value == "" {
			fs.BoolFunc(s.name, "", set)
		} else {
			fs.Func(s.name, "", set)
		}
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, errHelp
	case err != nil:
		return o, usageError{explain(err, flags)}
	case fs.NArg() > 0:
		return o, usageError{fmt.Sprintf("unexpected argument %q: settings are given as --flag VALUE", fs.Arg(0))}
	}
	return o, readEnv(&o, byFlag, environ)
}

// readEnv sets what no flag has set.
func readEnv(o *options, byFlag map[string]bool, environ []string) error {
	for _, kv := range environ {
		key, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(key, envPrefix) || strings.HasPrefix(key, envTest) {
			continue
		}
		all := settings()
		i := slices.IndexFunc(all, func(s setting) bool { return s.env() == key })
		switch {
		case i < 0:
			var names []string
			for _, s := range all {
				names = append(names, s.env())
			}
			return usageError{fmt.Sprintf("unknown variable %s in the environment%s", key, didYouMean(key, names))}
		case value == "" || byFlag[all[i].name]:
			continue
		}
		if err := all[i].set(o, value); err != nil {
			return usageError{fmt.Sprintf("%s: %v", key, err)}
		}
	}
	return nil
}

// explain puts the flag package's error into our words.
func explain(err error, flags []setting) string {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		// It writes flags with one dash, and the manual with two.
		return strings.NewReplacer(" flag -", " flag --", "argument: -", "argument: --").Replace(err.Error())
	}
	name = strings.TrimPrefix(name, "-")
	var names []string
	for _, s := range settings() {
		if s.envOnly && s.name == name {
			return fmt.Sprintf("--%s is no flag, because others could read it in the list of processes: set %s", name, s.env())
		}
	}
	for _, s := range flags {
		names = append(names, "--"+s.name)
	}
	return fmt.Sprintf("unknown flag --%s%s", name, didYouMean("--"+name, names))
}

// didYouMean names the nearest of the names, if one is near.
func didYouMean(given string, names []string) string {
	best, least := "", max(3, len(given)/3)
	for _, n := range names {
		d := distance(given, n)
		if strings.HasPrefix(n, given) {
			d = 1 // begun, and not ended
		}
		if d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the least number of bytes to insert, remove or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

func setProxies(o *options, v string) error {
	for part := range strings.SplitSeq(v, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8", part)
		}
		o.TrustedProxies = append(o.TrustedProxies, p)
	}
	return nil
}

func duration(field func(*options) *time.Duration) func(*options, string) error {
	return func(o *options, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 30s", v)
		}
		*field(o) = d
		return nil
	}
}

func setMaintenance(o *options, v string) error {
	if v != "on" && v != "off" {
		return fmt.Errorf("%q is neither on nor off", v)
	}
	o.NoMaintenance = v == "off"
	return nil
}

func setPacks(o *options, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 2 {
		return fmt.Errorf("%q is not a number of packs, at least 2", v)
	}
	o.Maintenance.Packs = n
	return nil
}

func setUploads(o *options, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number of uploads, at least 1", v)
	}
	o.Places.LFSUploads = n
	return nil
}

func setLogFormat(o *options, v string) error {
	if v != "text" && v != "json" {
		return fmt.Errorf("%q is neither text nor json", v)
	}
	o.logFormat = v
	return nil
}

func setLogLevel(o *options, v string) error {
	if err := o.logLevel.UnmarshalText([]byte(v)); err != nil {
		return fmt.Errorf("%q is not one of debug, info, warn, error", v)
	}
	return nil
}

// parseSize reads bytes, or a number with K, M, G or T for powers of 1024.
func parseSize(v string) (int64, error) {
	number, shift := strings.ToUpper(v), 0
	if i := strings.IndexByte("KMGT", lastByte(number)); i >= 0 {
		number, shift = number[:len(number)-1], 10*(i+1)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > (1<<62)>>shift {
		return 0, fmt.Errorf("%q is not a size such as 500M or 4G", v)
	}
	return n << shift, nil
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}
