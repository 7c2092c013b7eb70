package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"testing"

	"github.com/refward/refward/internal/git/pktline"
)

// TestCorpusIsTheSame: two machines measure the same repositories.
func TestCorpusIsTheSame(t *testing.T) {
	c := corpus{name: "test", commits: 12, files: 5, lines: 8, changes: 2, rewrites: 3, variants: 4, next: 2, topics: 20}
	g := newGit(t.TempDir())
	var tips [2]string
	for i := range tips {
		m, err := c.make(context.Background(), g, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if len(m.tips) != c.refs()+c.next || len(m.chain) != c.commits {
			t.Errorf("%d refs and %d commits, want %d and %d", len(m.tips), len(m.chain), c.refs()+c.next, c.commits)
		}
		if m.tips["refs/heads/v/2"] != m.chain[3] || m.tips[topic(9)] == "" {
			t.Errorf("v/2 is %q, the third below the tip %q", m.tips["refs/heads/v/2"], m.chain[3])
		}
		if _, err := g.run(context.Background(), m.dir, "fsck", "--strict", "--no-progress"); err != nil {
			t.Error(err)
		}
		tips[i] = m.tips["refs/heads/main"] + m.tips["refs/next/1"]
	}
	if tips[0] != tips[1] {
		t.Errorf("the tips are %s, then %s", tips[0], tips[1])
	}
}

// TestPackCheck: a pack counts only when all of it came, however it was cut.
func TestPackCheck(t *testing.T) {
	pack := append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x07"), bytes.Repeat([]byte("objects"), 50)...)
	sum := sha1.Sum(pack)
	pack = append(pack, sum[:]...)
	check := func(pack []byte, cut int, light bool) (got, error) {
		var b []byte
		for len(pack) > 0 {
			n := min(cut, len(pack))
			b = pktline.Append(b, "\x01"+string(pack[:n]))
			b = pktline.Append(b, "\x02progress")
			pack = pack[n:]
		}
		p := &packCheck{sum: sha1.New(), light: light}
		err := p.read(pktline.NewReader(bufio.NewReader(bytes.NewReader(pktline.AppendFlush(b)))))
		return p.got, err
	}
	for _, cut := range [...]int{1, 7, 20, 21, 1000} {
		g, err := check(pack, cut, false)
		if err != nil || g.objects != 7 || g.bytes != int64(len(pack)) {
			t.Errorf("in pieces of %d: %+v, %v", cut, g, err)
		}
		short := pack[:len(pack)-1]
		if _, err := check(short, cut, false); err == nil {
			t.Errorf("in pieces of %d: a pack without its last byte passes", cut)
		}
	}
	if _, err := check([]byte("PACK\x00"), 20, true); err == nil {
		t.Error("five bytes pass as a pack")
	}
}
