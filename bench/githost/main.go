// Command githost measures what Git hosts spend on Git's requests: Refward, and peers
// that can be had on the machine.
//
//	cd bench && go run ./githost -quick
//
// What counts is the CPU time of a host's server and all that it starts. It does not
// depend on how busy the machine is otherwise, nor on the client; wall time is beside
// it. Hosts run one after the other, each with a new data directory, and get the same
// repositories, which are generated, by the same pushes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	if done, err := serveOther(os.Args[1:]); done {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// serveOther is what the binary does when the harness starts it as a server.
func serveOther(args []string) (bool, error) {
	switch {
	case len(args) == 3 && args[0] == cgiCommand:
		return true, serveCGI(args[1], args[2])
	case len(args) == 4 && args[0] == floorCommand:
		return true, serveFloor(args[1], args[2], args[3])
	}
	return false, nil
}

// options are the flags.
type options struct {
	quick  bool
	clones bool
	only   *regexp.Regexp
	peers  []string
	turns  int
	work   string
}

// allPeers are the names that -peers takes.
func allPeers() []string {
	return []string{"refward", "gitea", "soft-serve", "http-backend", "bitmap", "sshd", "floor"}
}

func parseFlags() (*options, error) {
	o := &options{}
	var only, peers string
	flag.BoolVar(&o.quick, "quick", false, "a tenth of the medium repository and of the refs, and no large repository")
	flag.BoolVar(&o.clones, "concurrent", false, "also 64 clones of the large repository at once, and the memory they take")
	flag.StringVar(&only, "only", "", "measure the workloads whose name matches this `regexp`")
	flag.StringVar(&peers, "peers", strings.Join(allPeers(), ","), "hosts to measure, in this order; none with \"\"")
	flag.IntVar(&o.turns, "repeat", 3, "turns of every workload; the cheapest counts")
	flag.StringVar(&o.work, "work", "", "`folder` for generated repositories and installed peers (default: refward-bench in the user's cache folder)")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.turns < 1 {
		return nil, errors.New("-repeat takes a number from 1 on")
	}
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return nil, err
	}
	o.peers = strings.FieldsFunc(peers, func(r rune) bool { return r == ',' })
	for _, p := range o.peers {
		if !slices.Contains(allPeers(), p) {
			return nil, fmt.Errorf("-peers: no peer %q; there are %s", p, strings.Join(allPeers(), ", "))
		}
	}
	if o.work == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		o.work = filepath.Join(cache, "refward-bench")
	}
	return o, os.MkdirAll(o.work, 0o755)
}

func run(ctx context.Context) error {
	o, err := parseFlags()
	if err != nil {
		return err
	}
	began := time.Now()
	dir, err := os.MkdirTemp(o.work, "run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := newBench(newGit(dir), o.work, dir, o.turns)
	rows := chosen(o)
	if err := b.prepare(ctx, o, rows); err != nil {
		return err
	}
	t := newTable(rows)
	if !o.quick {
		t.targets = targets()
	}
	if err := b.labels(ctx, rows, t); err != nil {
		return err
	}
	left := b.hosts(ctx, o.peers, rows, t)
	version, _ := b.git.run(context.WithoutCancel(ctx), "", "version")
	fmt.Printf("%s, %s, %s/%s, %d CPUs; CPU time from %s; took %s\n", runtime.Version(), strings.TrimSpace(version),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), source(), time.Since(began).Round(time.Second))
	fmt.Print("CPU ms of the server and its children (what of it came after the answer) / wall ms of the operation / processes started, and for clones / ms to the first byte of the pack\n\n")
	t.print(os.Stdout)
	for _, l := range left {
		fmt.Println("\n" + l)
	}
	return ctx.Err()
}

// hosts measures one host after the other, and returns a sentence for each that was
// left out.
func (b *bench) hosts(ctx context.Context, peers []string, rows []workload, t *table) (left []string) {
	for _, peer := range peers {
		h, err := b.host(peer)
		if err == nil && ctx.Err() == nil {
			err = b.measure(ctx, h, rows, t)
		}
		if ctx.Err() != nil {
			return append(left, "The run was ended before its end: "+peer+" and those after it are not all there.")
		}
		if err != nil {
			left = append(left, fmt.Sprintf("%s was left out: %v", peer, err))
			fmt.Fprintln(os.Stderr, left[len(left)-1])
		}
	}
	return left
}

// labels puts git index-pack beside the pushes of whole repositories.
func (b *bench) labels(ctx context.Context, rows []workload, t *table) error {
	for _, w := range rows {
		if w.whole == "" {
			continue
		}
		label, err := b.label(ctx, w.name, b.corpora[w.whole], min(b.turns, w.turns))
		if err != nil {
			return err
		}
		t.labels[w.name] = label
	}
	return nil
}

// source says where the CPU times are from.
func source() string {
	g, err := newCgroup("probe")
	if err != nil {
		return "/proc"
	}
	defer g.remove()
	return g.file + " of a control group"
}

// chosen are the workloads that the flags leave.
func chosen(o *options) []workload {
	var out []workload
	for _, w := range workloads() {
		skip := o.quick && strings.Contains(w.name, "large") || w.memory && !o.clones
		if o.only.MatchString(w.name) && !skip {
			out = append(out, w)
		}
	}
	return out
}

// prepare makes the corpora that the rows need, and the client's key.
func (b *bench) prepare(ctx context.Context, o *options, rows []workload) error {
	need := map[string]bool{}
	for _, w := range rows {
		need[w.corpus] = true
		need[w.whole] = true
	}
	for _, c := range [...]corpus{ten, small, medium, large, refs} {
		if !need[c.name] {
			continue
		}
		if o.quick && (c.name == medium.name || c.name == refs.name) {
			c = c.shrunk(10)
		}
		start := time.Now()
		m, err := c.make(ctx, b.git, o.work)
		if err != nil {
			return err
		}
		b.corpora[c.name] = m
		info, err := os.Stat(m.pack)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: %d commits, %d objects, %d refs, %.1f MB packed (%s)\n",
			c.name, c.commits, m.objects, c.refs(), float64(info.Size())/1e6, time.Since(start).Round(time.Millisecond))
	}
	b.key.file = filepath.Join(b.dir, "key")
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", b.key.file).CombinedOutput(); err != nil {
		return fmt.Errorf("ssh-keygen: %w\n%s", err, out)
	}
	public, err := os.ReadFile(b.key.file + ".pub")
	b.key.public = string(public)
	return err
}

// host returns a host by the name that -peers has for it.
func (b *bench) host(peer string) (host, error) {
	dir := filepath.Join(b.dir, peer)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	backend := &httpBackend{dir: dir, label: "http-backend", git: b.git}
	switch peer {
	case "refward":
		return &refwardHost{dir: dir}, nil
	case "gitea":
		return &gitea{dir: dir, work: b.work}, nil
	case "soft-serve":
		return &softServe{dir: dir, work: b.work, key: b.key}, nil
	case "http-backend":
		return backend, nil
	case "bitmap":
		backend.label, backend.repacked = "http-backend, repacked", true
		return backend, nil
	case "sshd":
		return &sshd{dir: dir, git: b.git, key: b.key}, nil
	case "floor":
		backend.dir, backend.repacked = filepath.Join(dir, "upstream"), true
		backend.label = "the floor's upstream"
		return &floor{dir: dir, backend: backend}, nil
	}
	return nil, fmt.Errorf("-peers: no peer %q", peer)
}
