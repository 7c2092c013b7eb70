package archtest

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport is the architecture: for each package, which others of this module its
// code (not its tests) may import. Adding to a row is a design decision, not a build fix.
var mayImport = map[string]string{
	// The languages: pure, without I/O.
	"arn":                    "",
	"policy":                 "arn",
	"policy/catalog":         "",
	"policy/validate":        "arn policy policy/catalog",
	"policy/validate/report": "policy policy/validate",

	// Words that everybody shares.
	"internal/fault":       "",
	"internal/share":       "",
	"internal/failpoint":   "",
	"internal/secret":      "",
	"internal/git/oid":     "",
	"internal/git/refname": "internal/git/oid",

	// Git's formats, and its binary.
	"internal/git/object":  "internal/git/oid",
	"internal/git/pktline": "",
	"internal/git/wire":    "internal/git/oid internal/git/pktline internal/git/refname",
	"internal/git/gitcmd":  "internal/git/oid internal/git/object internal/git/refname internal/share",
	"internal/git/catfile": "internal/git/gitcmd internal/git/object internal/git/oid",
	"internal/git/pack":    "internal/git/object internal/git/oid",
	"internal/git/plain":   "internal/git/object internal/git/oid internal/git/refname",
	"internal/git/lfs":     "internal/git/pktline",
	"internal/git/gittest": "internal/git/oid",

	// Who, may, what.
	"internal/authz": "arn policy policy/catalog internal/fault",
	"internal/authn": "arn internal/authz internal/fault internal/secret",
	"internal/op":    "internal/authz",

	// Storage: contracts, and the drivers of packs.
	"internal/blob":          "",
	"internal/blob/blobtest": "internal/blob",
	"internal/blob/dir":      "internal/blob",
	"internal/repo":          "internal/blob internal/failpoint internal/git/* internal/repo/replay internal/share",
	"internal/repo/replay":   "internal/share",

	// Domains.
	"internal/codecommit":                "arn policy/catalog internal/authz internal/failpoint internal/fault internal/git/* internal/op internal/repo internal/secret internal/share",
	"internal/maintenance":               "internal/failpoint internal/repo",
	"internal/fsck":                      "internal/blob internal/git/* internal/repo",
	"internal/codecommit/codecommittest": "internal/codecommit internal/git/* internal/repo",
	"internal/iam":                       "arn policy policy/catalog internal/authn internal/authz internal/fault internal/op internal/secret",
	"internal/iam/iamtest":               "internal/iam",
	"internal/sts":                       "arn internal/authz internal/fault internal/iam internal/op",

	// The driver of every row.
	"internal/sqlstore": "internal/authz internal/codecommit internal/fsck internal/git/* internal/iam internal/maintenance internal/repo policy",

	// Front doors.
	"internal/awsapi":    "internal/authn internal/authz internal/fault internal/op internal/share",
	"internal/gitserver": "internal/authn internal/authz internal/codecommit internal/fault internal/git/* internal/op internal/repo internal/share",

	// The library as a command.
	"internal/policycmd": "arn policy policy/validate policy/validate/report",

	// The rim: wiring, the command, and those who use a host.
	"internal/server": "internal/authn internal/authz internal/awsapi internal/blob internal/blob/dir internal/codecommit internal/fault internal/fsck internal/git/gitcmd " +
		"internal/gitserver internal/iam internal/maintenance internal/op internal/repo internal/repo/replay internal/secret internal/share internal/sqlstore internal/sts",
	"internal/person":      "",
	"internal/demo":        "internal/person",
	"cmd/refward":          "internal/demo internal/failpoint internal/person internal/policycmd internal/secret internal/server",
	"internal/hosttest":    "internal/demo internal/person internal/secret internal/server",
	"internal/archtest":    "",
	"internal/e2e":         "",
	"internal/conformance": "",

	// A front that Git's own tests take for Apache.
	"internal/conformance/gitsuite": "internal/person internal/secret",
}

// only are imports that belong to few, with why.
var only = map[string]string{
	"database/sql":          "internal/sqlstore", // SQL is in one place
	"modernc.org/sqlite":    "internal/sqlstore",
	"os/exec":               "internal/git/gitcmd internal/git/gittest internal/person internal/hosttest internal/conformance/gitsuite", // and so is running git
	"net/http/httputil":     "",
	"html/template":         "internal/console",
	"encoding/gob":          "",
	"unsafe":                "",
	"math/rand":             "",
	"github.com/pkg/errors": "",

	"github.com/pjbgf/sha1cd": "internal/git/object", // without cgo
}

func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		seen[s.pkg] = true
		row, listed := mayImport[s.pkg]
		if !listed {
			t.Errorf("package %s has no row in mayImport: say what it may import", s.pkg)
			continue
		}
		if s.test {
			continue
		}
		for _, i := range s.imports() {
			if strings.Contains(strings.Split(i, "/")[0], ".") || isStandard(i) {
				continue
			}
			if !matches(row, i) {
				t.Errorf("%s imports %s, which its row in mayImport does not list", s.path, i)
			}
		}
	}
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("mayImport has a row for %s, which does not exist", pkg)
		}
	}
}

func TestOnlyFewImport(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, i := range s.imports() {
			if who, ok := only[i]; ok && !matches(who, s.pkg) {
				t.Errorf("%s imports %s, which is for %q alone", s.path, i, who)
			}
		}
	}
}

// isStandard reports whether an import that is not of this module is the standard library's.
func isStandard(i string) bool {
	first := strings.Split(i, "/")[0]
	return !slices.Contains([]string{"arn", "policy", "internal", "cmd"}, first)
}

// matches reports whether a row of patterns separated by spaces lists a package.
func matches(row, pkg string) bool {
	for pattern := range strings.FieldsSeq(row) {
		if ok, _ := path.Match(pattern, pkg); ok {
			return true
		}
	}
	return false
}
