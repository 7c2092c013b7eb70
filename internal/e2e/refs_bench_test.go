package e2e

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// inProcess runs the host in the process of the benchmark, for -cpuprofile. The
// processor time is then that of client and host together.
var inProcess = flag.Bool("inprocess", false, "run the host of a benchmark in its own process, to profile it")

// loopProfile is -cpuprofile without what it takes to prepare a benchmark.
var loopProfile = flag.String("loopprofile", "", "write a CPU profile of the loop of a benchmark, with -inprocess, to `file`")

// wireClient speaks Git's protocol by itself, because the git client costs more than
// what is measured here. The numbers are the host's alone: cpu-ms/op is the processor
// time of its process and of the git processes that it waited for.
type wireClient struct {
	b      *testing.B
	url    string // of the repository
	auth   string
	client *http.Client
	used   func() time.Duration
}

const benchPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:*","Resource":"*"},` +
	`{"Effect":"Deny","Action":"codecommit:GitPush","Resource":"*","Condition":` +
	`{"StringEqualsIfExists":{"codecommit:References":"refs/heads/locked"},"Null":{"codecommit:References":"false"}}}]}`

// newWireClient starts a host with a repository, and a user who may do everything there
// but push to refs/heads/locked.
func newWireClient(b *testing.B) *wireClient {
	b.Helper()
	var url string
	var who *person.Person
	c := &wireClient{b: b, client: &http.Client{Transport: &http.Transport{}}}
	b.Cleanup(c.client.CloseIdleConnections)
	if *inProcess {
		h := hosttest.Start(b)
		h.Group(b, "bench", benchPolicy)
		url, who, c.used = h.Repository(b, "bench"), h.Hire(b, "bench", "bench"), func() time.Duration { return usedHere(b) }
	} else {
		p := hosttest.StartProcess(b)
		h := &hosttest.Host{Place: p.Place, Account: p.Account, Root: p.Root}
		h.Group(b, "bench", benchPolicy)
		url, who, c.used = h.Repository(b, "bench"), h.Hire(b, "bench", "bench"), func() time.Duration { return usedBy(b, p.PID()) }
	}
	c.url = url
	c.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(who.GitUser+":"+who.GitPassword))
	return c
}

func usedHere(b *testing.B) (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// usedBy reads utime, stime, cutime and cstime of proc(5), which count in ticks of 10 ms.
func usedBy(b *testing.B, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("no /proc: ", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// measure runs the loop of a benchmark.
func (c *wireClient) measure(b *testing.B, op func()) {
	op() // caches, prepared statements
	before := c.used()
	profile(b)
	for b.Loop() {
		op()
	}
	b.ReportMetric((c.used()-before).Seconds()*1000/float64(b.N), "cpu-ms/op")
}

// profile begins the profile of a loop, which ends with the benchmark.
func profile(b *testing.B) {
	if *loopProfile == "" {
		return
	}
	f, err := os.Create(*loopProfile)
	if err != nil {
		b.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	})
}

// do sends one request and returns the answer's body.
func (c *wireClient) do(method, path string, body []byte, header ...string) []byte {
	c.b.Helper()
	r, err := http.NewRequestWithContext(c.b.Context(), method, c.url+path, bytes.NewReader(body))
	if err != nil {
		c.b.Fatal(err)
	}
	r.Header.Set("Authorization", c.auth)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.client.Do(r)
	if err != nil {
		c.b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		c.b.Fatalf("%s %s: %s %v\n%.500q", method, path, res.Status, err, answer)
	}
	return answer
}

// lsRefs is git ls-remote: both requests. It returns the answer to the second.
func (c *wireClient) lsRefs(prefixes ...string) []byte {
	c.do("GET", "/info/refs?service=git-upload-pack", nil, "Git-Protocol", "version=2")
	body := (&wire.RequestHeader{Command: "ls-refs", Arguments: true}).Append(nil)
	body = (&wire.LsRefs{Peel: true, Symrefs: true, Prefixes: prefixes}).Append(body)
	return c.do("POST", "/git-upload-pack", body, "Git-Protocol", "version=2", "Content-Type", "application/x-git-upload-pack-request")
}

// push is git push: both requests. It returns the answer to the second.
func (c *wireClient) push(data []byte, commands ...wire.Command) []byte {
	c.do("GET", "/info/refs?service=git-receive-pack", nil)
	return c.send(data, commands...)
}

func (c *wireClient) send(data []byte, commands ...wire.Command) []byte {
	p := wire.Push{Commands: commands, Capabilities: wire.ParseCapabilities("report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5")}
	return c.do("POST", "/git-receive-pack", append(p.Append(nil), data...), "Content-Type", "application/x-git-receive-pack-request")
}

// fill makes refs that all point to one commit, which it returns.
func (c *wireClient) fill(refs int) oid.ID {
	c.b.Helper()
	data, tip := smallCommit(c.b, oid.Zero, 0)
	commands := []wire.Command{{New: tip, Ref: "refs/heads/main"}}
	for i := 1; i < refs; i++ {
		commands = append(commands, wire.Command{New: tip, Ref: refname.Name(fmt.Sprintf("refs/heads/branch-%06d", i))})
	}
	const most = 4000
	for len(commands) > 0 {
		n := min(most, len(commands))
		if got := c.send(data, commands[:n]...); !bytes.Contains(got, []byte("unpack ok")) || bytes.Contains(got, []byte("ng ")) {
			c.b.Fatalf("%.500q", got)
		}
		commands = commands[n:]
	}
	return tip
}

// smallCommit is a pack of one commit that changes one small file.
func smallCommit(b *testing.B, parent oid.ID, n int) (data []byte, tip oid.ID) {
	b.Helper()
	file := object.Raw{Type: object.Blob, Content: fmt.Appendf(nil, "version %d of a small file\n", n)}
	entries, err := object.EncodeTree([]object.TreeEntry{{Mode: object.ModeFile, Name: "file", ID: file.ID()}})
	if err != nil {
		b.Fatal(err)
	}
	tree := object.Raw{Type: object.Tree, Content: entries}
	who := object.Signature{Name: "A", Email: "a@example.com", Date: fmt.Sprintf("%d +0000", 1_700_000_000+n)}
	commit := object.CommitObject{Tree: tree.ID(), Author: who, Committer: who, Message: "m\n"}
	if !parent.IsZero() {
		commit.Parents = []oid.ID{parent}
	}
	top := object.Raw{Type: object.Commit, Content: commit.Encode()}
	if data, err = pack.Encode([]object.Raw{top, tree, file}); err != nil {
		b.Fatal(err)
	}
	return data, top.ID()
}

// BenchmarkLsRefs is what git ls-remote costs the host, authentication and the decisions
// by policy included.
func BenchmarkLsRefs(b *testing.B) {
	for _, refs := range []int{10, 20_000} {
		b.Run(fmt.Sprintf("%d refs", refs), func(b *testing.B) {
			c := newWireClient(b)
			c.fill(refs)
			b.Run("all", func(b *testing.B) {
				c.measure(b, func() {
					if got := bytes.Count(c.lsRefs("HEAD", "refs/heads/", "refs/tags/"), []byte("\n")); got != refs+1 {
						b.Fatal(got, "refs")
					}
				})
			})
			b.Run("one prefix", func(b *testing.B) {
				c.measure(b, func() {
					if got := bytes.Count(c.lsRefs("refs/heads/branch-000007"), []byte("\n")); got != 1 {
						b.Fatal(got, "refs")
					}
				})
			})
		})
	}
}

// BenchmarkSmallPush is what a push of one small commit costs the host. The number of
// pushes decides how many packs there are: compare at the same -benchtime=40x.
func BenchmarkSmallPush(b *testing.B) {
	for _, refs := range []int{1, 20_000} {
		b.Run(fmt.Sprintf("%d refs", refs), func(b *testing.B) {
			c := newWireClient(b)
			tip, n := c.fill(refs), 0
			c.measure(b, func() {
				n++
				data, next := smallCommit(b, tip, n)
				if got := c.push(data, wire.Command{Old: tip, New: next, Ref: "refs/heads/main"}); !bytes.Contains(got, []byte("ok refs/heads/main")) {
					b.Fatalf("%.500q", got)
				}
				tip = next
			})
		})
	}
}

// BenchmarkDeniedPush is what a push costs the host that a policy denies.
func BenchmarkDeniedPush(b *testing.B) {
	c := newWireClient(b)
	tip := c.fill(1)
	data, next := smallCommit(b, tip, 1)
	c.measure(b, func() {
		if got := c.push(data, wire.Command{New: next, Ref: "refs/heads/locked"}); !bytes.Contains(got, []byte("ng refs/heads/locked")) {
			b.Fatalf("%.500q", got)
		}
	})
}
