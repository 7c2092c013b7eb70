package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// awsTimeout bounds one call: the command is Python, and slow to start.
const awsTimeout = time.Minute

// shell is somebody who types aws commands.
type shell struct {
	t   *testing.T
	aws string // path of the command
	url string
	env []string
}

// newShell is the shell of somebody with an access key. Nothing of the machine's own
// configuration of aws is read. The endpoint is given as --endpoint-url, which every
// version of the command knows; AWS_ENDPOINT_URL came with 1.29 and 2.13.
func newShell(t *testing.T, p person.Place, keyID, key string) *shell {
	t.Helper()
	dir := t.TempDir()
	return &shell{t: t, aws: hosttest.Need(t, "aws"), url: p.URL, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8",
		"AWS_CONFIG_FILE=" + filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "credentials"),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_DEFAULT_OUTPUT=json",
		"AWS_DEFAULT_REGION=" + p.Region, "AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + key,
	}}
}

func (s *shell) call(args ...string) (stdout, stderr string, ok bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), awsTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.aws, append([]string{"--endpoint-url", s.url}, args...)...)
	cmd.Env = s.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		s.t.Fatalf("aws %s: %v\n%s%s", strings.Join(args, " "), ctx.Err(), out.String(), errs.String())
	}
	return out.String(), errs.String(), err == nil
}

// does calls aws, which must work, and returns what it printed.
func (s *shell) does(args ...string) string {
	s.t.Helper()
	out, errs, ok := s.call(args...)
	if !ok {
		s.t.Fatalf("aws %s:\n%s%s", strings.Join(args, " "), out, errs)
	}
	return out
}

// get calls aws, which must work, and returns what is at a path of keys and indexes in
// the JSON it printed: "Group.GroupName", "Users.0.UserName".
func (s *shell) get(path string, args ...string) string {
	s.t.Helper()
	out := s.does(args...)
	var v any
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		s.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return dig(v, path)
}

// dig returns the text at a path, or the empty text where there is none.
func dig(v any, path string) string {
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(x) {
				return ""
			}
			v = x[i]
		default:
			return ""
		}
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	default:
		b, _ := json.Marshal(x)
		return string(b)
	}
}

// fails calls aws, which must fail with an error of a code whose text holds every word.
func (s *shell) fails(code string, words []string, args ...string) string {
	s.t.Helper()
	out, errs, ok := s.call(args...)
	if ok {
		s.t.Fatalf("aws %s worked, and should have been refused with %s:\n%s", strings.Join(args, " "), code, out)
	}
	for _, w := range append([]string{"An error occurred (" + code + ")"}, words...) {
		if !strings.Contains(errs, w) {
			s.t.Errorf("aws %s: no %q in\n%s", strings.Join(args, " "), w, errs)
		}
	}
	return errs
}
