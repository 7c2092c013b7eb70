package gitserver

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/pktline"
)

// infoRequest is a request of object-info.
func infoRequest(args ...string) string {
	b := pktline.Append(nil, "command=object-info\n")
	b = pktline.AppendDelim(pktline.Append(b, "object-format=sha1\n"))
	for _, a := range args {
		b = pktline.Append(b, a+"\n")
	}
	return string(pktline.AppendFlush(b))
}

// The answer is that of git's own upload-pack, byte for byte.
func TestObjectInfo(t *testing.T) {
	d := newDoor(t, Limits{})
	bare := d.host.create("app")
	history(t, bare, 3)
	id := func(rev string) string { return strings.TrimSpace(git(t, bare, "rev-parse", rev)) }
	for name, args := range map[string][]string{
		"sizes":         {"size", "oid " + id("master"), "oid " + id("master:file"), "oid " + id("master^{tree}")},
		"not there":     {"size", "oid " + strings.Repeat("ab", 20), "oid " + id("master")},
		"size at last":  {"oid " + id("master"), "size"},
		"nothing asked": {"size"},
	} {
		t.Run(name, func(t *testing.T) {
			request := infoRequest(args...)
			cmd := exec.CommandContext(t.Context(), "git", "-c", "transfer.advertiseObjectInfo=true", "-c", "safe.directory=*", "upload-pack", "--stateless-rpc", bare)
			cmd.Env = append(os.Environ(), "GIT_PROTOCOL=version=2")
			cmd.Stdin = strings.NewReader(request)
			want, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			resp, got := do(t, d.request(t, "POST", "/v1/repos/app/git-upload-pack", strings.NewReader(request), "Git-Protocol", "version=2"))
			if resp.StatusCode != 200 || got != string(want) {
				t.Errorf("%d\n got %q\nwant %q", resp.StatusCode, got, want)
			}
		})
	}
	// What was not asked for is not told (git 2.39 tells it nevertheless).
	_, text := do(t, d.request(t, "POST", "/v1/repos/app/git-upload-pack", strings.NewReader(infoRequest("oid "+id("master"))), "Git-Protocol", "version=2"))
	if want := "002c" + id("master") + "0000"; text != want {
		t.Errorf("without size: %q, want %q", text, want)
	}
	for name, args := range map[string][]string{
		"no ID":            {"size", "oid master"},
		"unknown argument": {"type", "oid " + id("master")},
		"too many":         append([]string{"size"}, strings.Split(strings.Repeat("oid "+id("master")+"\n", 10_001), "\n")[:10_001]...),
	} {
		resp, text := do(t, d.request(t, "POST", "/v1/repos/app/git-upload-pack", strings.NewReader(infoRequest(args...)), "Git-Protocol", "version=2"))
		if resp.StatusCode == 200 && !strings.Contains(text, "ERR ") {
			t.Errorf("%s: %d %.200q", name, resp.StatusCode, text)
		}
	}
	d.host.forbidden["app"] = true
	resp, text := do(t, d.request(t, "POST", "/v1/repos/app/git-upload-pack", strings.NewReader(infoRequest("size", "oid "+id("master"))), "Git-Protocol", "version=2"))
	if resp.StatusCode != 403 {
		t.Errorf("without the right to read: %d %q", resp.StatusCode, text)
	}
}
