package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// corpus is a repository that is made here, the same on every machine: one line of
// commits, each of which changes lines in a few files.
type corpus struct {
	name     string
	commits  int
	files    int // in folders of 50
	lines    int // of a file
	changes  int // files that a commit changes
	rewrites int // lines of a file that a change replaces
	variants int // branches v/0, v/1, ...: the commits below the tip
	next     int // commits above the tip, which the hosts are not given: to be pushed
	topics   int // branches and tags more
}

// The corpora of a full run. The sizes are those of their packs.
var (
	ten    = corpus{name: "ten", commits: 100, files: 40, lines: 60, changes: 2, rewrites: 60, variants: 8}                              // 0.5 MB, 10 refs
	small  = corpus{name: "small", commits: 100, files: 40, lines: 60, changes: 2, rewrites: 60, variants: 40, next: 200}                // 0.5 MB
	medium = corpus{name: "medium", commits: 5_000, files: 2_000, lines: 130, changes: 3, rewrites: 53, variants: 40}                    // 47 MB
	large  = corpus{name: "large", commits: 30_000, files: 6_000, lines: 130, changes: 4, rewrites: 82, variants: 8}                     // 460 MB
	refs   = corpus{name: "refs", commits: 2_000, files: 20, lines: 10, changes: 1, rewrites: 2, variants: 8, next: 200, topics: 19_990} // 20,000 refs
)

// shrunk is a corpus for -quick.
func (c corpus) shrunk(by int) corpus {
	c.commits, c.files, c.topics = max(100, c.commits/by), max(20, c.files/by), c.topics/by
	return c
}

// topic is the name of a ref that is there to be many: in groups of a thousand, nine of
// ten branches.
func topic(i int) string {
	kind := "heads"
	if i%10 == 9 {
		kind = "tags"
	}
	return fmt.Sprintf("refs/%s/g%02d/topic-%05d", kind, i/1000, i)
}

// others are the refs that a host is given besides main and the tag v1.
func (m *made) others() []update {
	var out []update
	add := func(ref string) { out = append(out, update{ref, m.tips[ref]}) }
	for i := range m.variants {
		add(fmt.Sprintf("refs/heads/v/%d", i))
	}
	for i := range m.topics {
		add(topic(i))
	}
	return out
}

// made is a corpus on disk: a bare repository.
type made struct {
	corpus
	dir     string
	tips    map[string]string // object IDs by name of ref
	chain   []string          // the commits from the tip down, as many as are asked for
	objects int               // that main reaches
	pack    string            // everything that is pushed, as one pack
}

// make makes the corpus below dir, or finds it there.
func (c corpus) make(ctx context.Context, g git, dir string) (*made, error) {
	m := &made{corpus: c, dir: filepath.Join(dir, fmt.Sprintf("%s-%d-%d-%d-%d.git", c.name, c.commits, c.files, c.rewrites, c.topics))}
	m.pack = filepath.Join(m.dir, "everything.pack")
	if _, err := os.Stat(m.pack); err != nil {
		if err := m.generate(ctx, g); err != nil {
			return nil, fmt.Errorf("make the corpus %s: %w", c.name, err)
		}
	}
	return m, m.read(ctx, g)
}

func (m *made) generate(ctx context.Context, g git) error {
	temp := m.dir + ".new"
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	if _, err := g.run(ctx, "", "init", "--quiet", "--bare", "--initial-branch=main", temp); err != nil {
		return err
	}
	cmd := g.command(ctx, temp, "-c", "pack.compression=1", "fast-import", "--quiet", "--depth=40")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(in, 1<<20)
	m.stream(w)
	flushed := w.Flush()
	in.Close()
	if err := cmd.Wait(); err != nil || flushed != nil {
		return fmt.Errorf("fast-import: %w", firstOf(err, flushed))
	}
	if _, err := g.run(ctx, temp, "pack-refs", "--all"); err != nil {
		return err
	}
	if err := everything(ctx, g, temp); err != nil {
		return err
	}
	if err := os.RemoveAll(m.dir); err != nil {
		return err
	}
	return os.Rename(temp, m.dir)
}

// everything writes the pack that a first push of the repository sends.
func everything(ctx context.Context, g git, dir string) error {
	f, err := os.Create(filepath.Join(dir, "everything.pack"))
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := g.command(ctx, dir, "pack-objects", "--revs", "--stdout", "--delta-base-offset", "-q")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("refs/heads/main\nrefs/tags/v1\n"), f, os.Stderr
	return cmd.Run()
}

func (m *made) read(ctx context.Context, g git) error {
	out, err := g.run(ctx, m.dir, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return err
	}
	m.tips = map[string]string{}
	for line := range strings.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		m.tips[name] = id
	}
	if out, err = g.run(ctx, m.dir, "rev-list", "--max-count=80", "refs/heads/main"); err != nil {
		return err
	}
	m.chain = strings.Fields(out)
	head := make([]byte, 12)
	f, err := os.Open(m.pack)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.ReadFull(f, head); err != nil {
		return err
	}
	m.objects, err = packObjects(head)
	return err
}

// stream writes the corpus for fast-import. The versions of one file follow each other,
// so that fast-import stores deltas as a repacked repository has them; then come the
// commits.
func (m *made) stream(w *bufio.Writer) {
	t := newText(uint64(len(m.name)) + uint64(m.commits)<<8)
	commits := m.commits + m.next
	changed := make([][]int, commits) // which files each commit changes
	versions := make([]int, m.files)  // how many versions each file has
	for c := range changed {
		for range m.changes {
			f := t.below(m.files)
			changed[c] = append(changed[c], f)
			versions[f]++
		}
	}
	first := make([]int, m.files) // the mark of each file's first version
	mark := 1
	for f := range m.files {
		first[f] = mark
		mark = m.blobs(w, t, mark, versions[f]+1)
	}
	m.history(w, t, changed, first, mark)
}

// blobs writes the versions of a file.
func (m *made) blobs(w *bufio.Writer, t *text, mark, versions int) int {
	lines := make([][]byte, m.lines)
	for i := range lines {
		lines[i] = t.line(nil)
	}
	for range versions {
		fmt.Fprintf(w, "blob\nmark :%d\ndata %d\n", mark, m.lines*len(lines[0]))
		for _, l := range lines {
			w.Write(l)
		}
		w.WriteByte('\n')
		mark++
		start := t.below(m.lines)
		for i := range m.rewrites { // a block of lines, around the end
			at := (start + i) % m.lines
			lines[at] = t.line(lines[at][:0])
		}
	}
	return mark
}

func (m *made) history(w *bufio.Writer, t *text, changed [][]int, first []int, mark int) {
	now := make([]int, m.files)
	copy(now, first)
	firstCommit := mark
	for c := range changed {
		branch := "refs/heads/main"
		if c >= m.commits {
			branch = fmt.Sprintf("refs/next/%d", c-m.commits)
		}
		message := t.line([]byte(strconv.Itoa(c) + " "))
		fmt.Fprintf(w, "commit %s\nmark :%d\n", branch, mark)
		fmt.Fprintf(w, "committer Bench <bench@example.com> %d +0000\ndata %d\n%s", 1_700_000_000+c*60, len(message), message)
		if c > 0 {
			fmt.Fprintf(w, "from :%d\n", mark-1)
		} else {
			for f := range m.files {
				fmt.Fprintf(w, "M 100644 :%d %s\n", now[f], path(f))
			}
		}
		for _, f := range changed[c] {
			now[f]++
			fmt.Fprintf(w, "M 100644 :%d %s\n", now[f], path(f))
		}
		w.WriteByte('\n')
		mark++
	}
	tip := firstCommit + m.commits - 1
	for i := range m.variants {
		fmt.Fprintf(w, "reset refs/heads/v/%d\nfrom :%d\n\n", i, tip-1-i)
	}
	fmt.Fprintf(w, "reset refs/tags/v1\nfrom :%d\n\n", tip)
	for i := range m.topics {
		fmt.Fprintf(w, "reset %s\nfrom :%d\n\n", topic(i), firstCommit+i%m.commits)
	}
}

func path(f int) string { return fmt.Sprintf("dir%03d/file%05d.txt", f/50, f) }

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// command builds a git command whose environment says everything about it.
func (g git) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = g.env
	return cmd
}
