package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/refward/refward/internal/git/pktline"
)

// remote is a repository of a host, over HTTP.
type remote struct {
	url            string
	user, password string // "": it is open to everybody
}

// agent is what the requests say they are from; their form is that of this git.
const agent = "git/2.39.5"

// conversation sends what one git command would send, over one connection: the
// credential only after the host has asked for it, then protocol version 2. git itself
// would spend the machine's time on unpacking what it is sent.
type conversation struct {
	remote
	client  *http.Client
	started time.Time
	asked   bool // the host has asked for the credential
}

func converse(r remote) *conversation {
	return &conversation{remote: r, started: time.Now(), client: &http.Client{Transport: &http.Transport{
		DisableCompression: true, MaxIdleConns: 1, ReadBufferSize: 64 << 10,
	}}}
}

func (c *conversation) close() { c.client.CloseIdleConnections() }

// open asks for the capabilities.
func (c *conversation) open(ctx context.Context) error {
	for {
		res, err := c.do(ctx, http.MethodGet, "/info/refs?service=git-upload-pack", nil)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		res.Body.Close()
		switch {
		case err != nil:
			return err
		case res.StatusCode == http.StatusUnauthorized && !c.asked && c.user != "":
			c.asked = true
		case res.StatusCode != http.StatusOK:
			return fmt.Errorf("info/refs: %s: %.200s", res.Status, b)
		case !bytes.Contains(b, []byte("version 2")):
			return fmt.Errorf("info/refs: not version 2: %.200q", b)
		default:
			return nil
		}
	}
}

func (c *conversation) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Git-Protocol", "version=2")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		req.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if c.asked {
		req.SetBasicAuth(c.user, c.password)
	}
	return c.client.Do(req)
}

// command sends a command of protocol version 2 with its arguments.
func (c *conversation) command(ctx context.Context, name string, args []string) (*bufio.Reader, io.Closer, error) {
	b := pktline.Append(nil, "command="+name)
	b = pktline.Append(b, "agent="+agent)
	b = pktline.Append(b, "object-format=sha1")
	b = pktline.AppendDelim(b)
	for _, a := range args {
		b = pktline.Append(b, a+"\n")
	}
	b = pktline.AppendFlush(b)
	res, err := c.do(ctx, http.MethodPost, "/git-upload-pack", b)
	if err != nil {
		return nil, nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(res.Body, 200))
		return nil, nil, fmt.Errorf("%s: %s: %s", name, res.Status, text)
	}
	return bufio.NewReaderSize(res.Body, 64<<10), res.Body, nil
}

// lsRefs lists the refs under the prefixes and returns how many there are.
func (c *conversation) lsRefs(ctx context.Context, prefixes ...string) (int, error) {
	args := []string{"peel", "symrefs", "unborn"}
	for _, p := range prefixes {
		args = append(args, "ref-prefix "+p)
	}
	in, body, err := c.command(ctx, "ls-refs", args)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	r := pktline.NewReader(in)
	for n := 0; ; n++ {
		kind, line, err := r.Next()
		if err != nil {
			return n, err
		}
		if kind == pktline.Flush {
			_, err := in.WriteTo(io.Discard)
			return n, err
		}
		if bytes.HasSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte(" HEAD")) || bytes.Contains(line, []byte(" HEAD ")) {
			n-- // no ref of its own
		}
	}
}

// want is what a fetch asks for.
type want struct {
	id    string
	haves []string
	depth int
	// light leaves the pack's checksum alone, which costs a client as much as a
	// server: for many clones at once.
	light bool
}

// got is what came of a fetch.
type got struct {
	objects int
	bytes   int64
	first   time.Duration // from the start of the conversation to the first byte of the pack
}

var errPack = errors.New("the answer is no pack")

// fetch asks for a pack, and checks that it came whole.
func (c *conversation) fetch(ctx context.Context, w want) (got, error) {
	args := []string{"thin-pack", "no-progress", "include-tag", "ofs-delta"}
	if w.depth > 0 {
		args = append(args, fmt.Sprintf("deepen %d", w.depth))
	}
	args = append(args, "want "+w.id)
	for _, h := range w.haves {
		args = append(args, "have "+h)
	}
	if len(w.haves) == 0 {
		args = append(args, "done")
	}
	in, body, err := c.command(ctx, "fetch", args)
	if err != nil {
		return got{}, err
	}
	defer body.Close()
	r := pktline.NewReader(in)
	for {
		kind, line, err := r.Next()
		if err != nil {
			return got{}, fmt.Errorf("%w: %w", errPack, err)
		}
		if kind == pktline.Flush {
			return got{}, errPack
		}
		if strings.HasPrefix(string(line), "ERR ") {
			return got{}, fmt.Errorf("%w: %.200s", errPack, line)
		}
		if string(bytes.TrimSuffix(line, []byte("\n"))) == "packfile" {
			break
		}
	}
	p := &packCheck{started: c.started, sum: sha1.New(), light: w.light}
	if err := p.read(r); err != nil {
		return p.got, err
	}
	_, err = in.WriteTo(io.Discard)
	return p.got, err
}

// packCheck looks at a pack as it comes: its head, its length, its checksum at the end.
type packCheck struct {
	got
	started time.Time
	light   bool
	sum     hash.Hash
	head    []byte // the first 12 bytes
	end     []byte // the last 20 so far, which are not in sum
}

func (p *packCheck) read(r *pktline.Reader) error {
	for {
		kind, b, err := r.Next()
		if err != nil {
			return fmt.Errorf("%w: %w", errPack, err)
		}
		if kind == pktline.Flush {
			break
		}
		if len(b) == 0 {
			continue
		}
		switch band := b[0]; band {
		case 1:
			p.data(b[1:])
		case 3:
			return fmt.Errorf("the host says: %s", b[1:])
		}
	}
	var err error
	if p.objects, err = packObjects(p.head); err != nil {
		return err
	}
	if !p.light && !bytes.Equal(p.sum.Sum(nil), p.end) {
		return fmt.Errorf("%w that is whole: %d bytes of one", errPack, p.bytes)
	}
	return nil
}

func (p *packCheck) data(b []byte) {
	if p.bytes == 0 {
		p.first = time.Since(p.started)
	}
	p.bytes += int64(len(b))
	if missing := 12 - len(p.head); missing > 0 {
		p.head = append(p.head, b[:min(missing, len(b))]...)
	}
	if p.light {
		return
	}
	if len(b) >= sha1.Size {
		p.sum.Write(p.end)
		cut := len(b) - sha1.Size
		p.sum.Write(b[:cut])
		p.end = append(p.end[:0], b[cut:]...)
		return
	}
	p.end = append(p.end, b...)
	if over := len(p.end) - sha1.Size; over > 0 {
		p.sum.Write(p.end[:over])
		p.end = append(p.end[:0], p.end[over:]...)
	}
}

// packObjects reads the head of a pack (gitformat-pack(5)).
func packObjects(head []byte) (int, error) {
	if len(head) < 12 || string(head[:8]) != "PACK\x00\x00\x00\x02" {
		return 0, errPack
	}
	return int(binary.BigEndian.Uint32(head[8:])), nil
}

// clone is the conversation of a clone of one branch.
func clone(ctx context.Context, r remote, w want) (got, error) {
	c := converse(r)
	defer c.close()
	if err := c.open(ctx); err != nil {
		return got{}, err
	}
	if _, err := c.lsRefs(ctx, "HEAD", "refs/heads/main", "refs/tags/"); err != nil {
		return got{}, err
	}
	return c.fetch(ctx, w)
}

// list is the conversation of git ls-remote.
func list(ctx context.Context, r remote, prefixes ...string) (int, error) {
	c := converse(r)
	defer c.close()
	if err := c.open(ctx); err != nil {
		return 0, err
	}
	return c.lsRefs(ctx, prefixes...)
}
