package hosttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
)

// The whole story, by git and the SDK.
func TestStory(t *testing.T) {
	h := hosttest.Start(t)
	var out bytes.Buffer
	if err := demo.Play(t.Context(), &out, h.Root, h.Account, t.TempDir()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "steps went as expected") {
		t.Errorf("the story does not say how it went:\n%s", out.String())
	}
}

func TestEndpoints(t *testing.T) {
	h := hosttest.Start(t)
	file := filepath.Join(h.Data, "endpoints.json")
	hosttest.Eventually(t, 10*time.Second, "endpoints.json is written", func() bool {
		_, err := os.Stat(file)
		return err == nil
	})
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var ends map[string]string
	if err := json.Unmarshal(b, &ends); err != nil {
		t.Fatal(err)
	}
	if ends["http"] != h.URL || !strings.HasPrefix(ends["ssh"], "ssh://127.0.0.1:") {
		t.Errorf("endpoints.json is %s; the host is at %s", b, h.URL)
	}
	h.Stop(t)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("endpoints.json is there after the end (%v)", err)
	}
}

func TestPages(t *testing.T) {
	h := hosttest.Start(t)
	if _, err := h.Root.STS().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/":        "Git host guarded by IAM policy",
		"/healthz": "ok",
		"/readyz":  "metadata: ok\npacks: ok\ngit: ok",
		"/metrics": `refward_requests_total{code="200",door="api",op="sts:GetCallerIdentity"} 1`,
	} {
		if status, body := get(t, h.URL+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d without %q:\n%s", path, status, want, body)
		}
	}
	if status, _ := get(t, h.URL+"/nothing"); status != http.StatusNotFound {
		t.Errorf("/nothing: %d", status)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
