package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// play runs the command and returns its exit status and what it printed.
func play(t *testing.T, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	p := program{args: args, env: env, out: &o, err: &e}
	return p.run(t.Context()), o.String(), e.String()
}

func TestCommandLine(t *testing.T) {
	for _, tc := range []struct {
		args, env string
		code      int
		out, errs string // parts
	}{
		{"help", "", exitOK, "Usage: refward COMMAND", ""},
		{"--help", "", exitOK, "Usage: refward COMMAND", ""},
		{"help serve", "", exitOK, "--data-dir DIR\n  REFWARD_DATA_DIR", ""},
		{"serve --help", "", exitOK, "REFWARD_ROOT_SECRET_ACCESS_KEY", ""},
		{"demo --help", "", exitOK, "Usage: refward demo", ""},
		{"version", "", exitOK, "refward ", ""},
		{"", "", exitUsage, "", "Usage: refward COMMAND"},
		{"srve", "", exitUsage, "", `unknown command "srve"; did you mean serve?`},
		{"help polcy", "", exitUsage, "", `there is no command "polcy"; did you mean policy?`},
		{"help policy validate", "", exitOK, "Usage: refward policy validate", ""},
		{"help serve now", "", exitUsage, "", `there is no command "serve now"`},
		{"help me", "", exitUsage, "", "next: refward help --help"},
		{"demo now", "", exitUsage, "", `"now" was given`},
		{"serve --data DIR", "", exitUsage, "", "unknown flag --data; did you mean --data-dir?"},
		{"serve --nothing", "", exitUsage, "", "next: refward serve --help"},
		{"serve here", "", exitUsage, "", `unexpected argument "here"`},
		{"serve --root-secret-access-key x", "", exitUsage, "", "set REFWARD_ROOT_SECRET_ACCESS_KEY"},
		{"serve --max-pack many", "", exitUsage, "", `for flag --max-pack: "many" is not a size`},
		{"serve --max-pack", "", exitUsage, "", "flag needs an argument: --max-pack"},
		{"serve", "REFWARD_DATADIR=x", exitUsage, "", "unknown variable REFWARD_DATADIR in the environment; did you mean REFWARD_DATA_DIR?"},
		{"serve", "REFWARD_LOG_LEVEL=loud", exitUsage, "", "REFWARD_LOG_LEVEL: \"loud\" is not one of"},
		{"serve --account-id 5", "REFWARD_DATA_DIR=/nonexistent/x", exitError, "", "it must have 12 digits"},
	} {
		code, out, errs := play(t, strings.Fields(tc.env), strings.Fields(tc.args)...)
		if code != tc.code || !strings.Contains(out, tc.out) || !strings.Contains(errs, tc.errs) {
			t.Errorf("%s refward %s: status %d\n%s%s", tc.env, tc.args, code, out, errs)
		}
	}
}

func TestFlagWinsOverEnvironment(t *testing.T) {
	o, err := parse([]string{"--region", "eu-west-1", "--trusted-proxies", "10.0.0.0/8, ::1/128"}, []string{
		"PATH=/bin", "REFWARD_REGION=us-west-2", "REFWARD_LISTEN=:1", "REFWARD_MAX_PACK=2M", "REFWARD_DRAIN_TIMEOUT=5s",
		"REFWARD_TEST_REQUIRE=git", "REFWARD_PUBLIC_URL=", "REFWARD_ROOT_SECRET_ACCESS_KEY=sesame",
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.Region != "eu-west-1" || o.Listen != ":1" || o.MaxPackBytes != 2<<20 || o.DrainTimeout != 5*time.Second || o.PublicURL != "" {
		t.Errorf("%+v", o)
	}
	if !o.RootSecretAccessKey.Equal("sesame") {
		t.Error("the secret was not read")
	}
	if len(o.TrustedProxies) != 2 || o.TrustedProxies[1] != netip.MustParsePrefix("::1/128") {
		t.Errorf("proxies %v", o.TrustedProxies)
	}
}

// Every setting is in the manual, and no two share a name.
func TestManualIsWhole(t *testing.T) {
	var b bytes.Buffer
	serveManual(&b)
	seen := map[string]bool{}
	for _, s := range settings() {
		if !strings.Contains(b.String(), s.env()) || s.means == "" {
			t.Errorf("%s is not in the manual", s.name)
		}
		if seen[s.name] {
			t.Errorf("%s is there twice", s.name)
		}
		seen[s.name] = true
	}
	for i, line := range strings.Split(b.String(), "\n") {
		if len(line) > 120 {
			t.Errorf("line %d of the manual has %d bytes", i+1, len(line))
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"1", "4G", "500m", "0", "-1", "9223372036854775807T", "", "G", "1 G"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseSize(s); err == nil && n <= 0 {
			t.Errorf("%q is %d bytes", s, n)
		}
	})
}
