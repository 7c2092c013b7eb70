package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// many is more turns than anybody asks for.
const many = 1 << 20

// workloads are the rows, in the order in which they are run: a push of a whole
// repository also is what brings it to the host.
func workloads() []workload {
	return []workload{
		pushAll("medium", many), pushAll("large", 1),
		cloneFirst("small", 4), cloneRepeated("small", 20),
		cloneFirst("medium", 1), cloneRepeated("medium", 5),
		cloneFirst("large", 1), cloneRepeated("large", 2),
		shallow("depth 1 of medium, first", 1, true), shallow("depth 1 of medium, repeated", 5, false),
		{name: "fetch, 10 commits behind", corpus: "medium", ops: 10, turns: 4, run: fetchBehind},
		lsRefs("ls-refs, 10 refs", "ten", 50), lsRefs("ls-refs, 20,000 refs: all", "refs", 5),
		lsRefs("ls-refs, 20,000 refs: one prefix", "refs", 20, "refs/heads/main"),
		pushOne("push of one small commit", "small"), pushOne("the same into 20,000 refs", "refs"),
		{name: "push denied by policy", corpus: "small", ops: 5, turns: many, repeated: true, ready: protect, run: pushDenied},
		{name: "clone over SSH, small, first", corpus: "small", ops: 4, turns: 4, first: true, ssh: true, run: sshClone},
		{name: "clone over SSH, small, repeated", corpus: "small", ops: 4, turns: many, repeated: true, ssh: true, run: sshCloneAgain},
		{name: "64 clones of large at once", corpus: "large", ops: 1, turns: 1, memory: true, run: cloneTogether},
	}
}

// targets are what Refward is to come to, in CPU milliseconds of a quiet core: with the
// whole corpora, so not with -quick.
func targets() map[string]string {
	return map[string]string{
		"push of the whole repository, medium": "1.15 × index-pack", "push of the whole repository, large": "1.15 × index-pack",
		"full clone, small, first": "12", "full clone, small, repeated": "2",
		"full clone, medium, first": "250", "full clone, medium, repeated": "50",
		"full clone, large, first": "2,200, first byte in 100", "full clone, large, repeated": "400",
		"depth 1 of medium, repeated": "0.1 × http-backend", "fetch, 10 commits behind": "8",
		"ls-refs, 10 refs": "0.5", "ls-refs, 20,000 refs: all": "2", "ls-refs, 20,000 refs: one prefix": "0.6",
		"push of one small commit": "8, then 5", "the same into 20,000 refs": "10", "push denied by policy": "1",
		"clone over SSH, small, repeated": "3", "64 clones of large at once": "1,000 MB",
	}
}

// cloneFirst asks for a branch of its own each time, which nobody has asked for: what
// a host remembers of other answers does not help, unless it is of use to new ones.
func cloneFirst(corpus string, ops int) workload {
	return workload{
		name: "full clone, " + corpus + ", first", corpus: corpus, ops: ops, turns: 8, first: true,
		run: func(ctx context.Context, b *bench, h host, i int) (got, error) {
			return b.clone(ctx, h, corpus, want{id: b.variant(corpus, i)})
		},
	}
}

func cloneRepeated(corpus string, ops int) workload {
	return workload{
		name: "full clone, " + corpus + ", repeated", corpus: corpus, ops: ops, turns: many, repeated: true,
		run: func(ctx context.Context, b *bench, h host, _ int) (got, error) {
			return b.clone(ctx, h, corpus, want{id: b.corpora[corpus].tips["refs/heads/main"]})
		},
	}
}

func (b *bench) variant(corpus string, i int) string {
	return b.corpora[corpus].tips[fmt.Sprintf("refs/heads/v/%d", i)]
}

// clone clones, and looks whether as many objects came as the corpus has.
func (b *bench) clone(ctx context.Context, h host, corpus string, w want) (got, error) {
	g, err := clone(ctx, h.remote(corpus), w)
	all := b.corpora[corpus].objects
	if err == nil && (g.objects < all-all/10 || g.objects > all+10) {
		err = fmt.Errorf("%d objects came, of %d", g.objects, all)
	}
	return g, err
}

// together is how many clone at once.
const together = 64

// cloneTogether has everybody clone a branch that nobody has cloned before.
func cloneTogether(ctx context.Context, b *bench, h host, _ int) (got, error) {
	results, errs := make([]got, together), make([]error, together)
	var all sync.WaitGroup
	for i := range together {
		all.Go(func() {
			results[i], errs[i] = b.clone(ctx, h, "large", want{id: b.variant("large", 7), light: true})
		})
	}
	all.Wait()
	var last got
	for _, g := range results {
		last.first = max(last.first, g.first)
	}
	return last, errors.Join(errs...)
}

func shallow(name string, ops int, first bool) workload {
	return workload{
		name: name, corpus: "medium", ops: ops, turns: 8, first: first, repeated: !first,
		run: func(ctx context.Context, b *bench, h host, i int) (got, error) {
			id := b.corpora["medium"].tips["refs/heads/main"]
			if first {
				id = b.variant("medium", i)
			}
			g, err := clone(ctx, h.remote("medium"), want{id: id, depth: 1})
			if files := b.corpora["medium"].files; err == nil && g.objects < files {
				err = fmt.Errorf("%d objects came, of more than %d", g.objects, files)
			}
			return g, err
		},
	}
}

// fetchBehind has what git sends first of its history: sixteen commits.
func fetchBehind(ctx context.Context, b *bench, h host, i int) (got, error) {
	chain := b.corpora["medium"].chain[i+1:] // from the branch v/i
	c := converse(h.remote("medium"))
	defer c.close()
	if err := c.open(ctx); err != nil {
		return got{}, err
	}
	branch := fmt.Sprintf("refs/heads/v/%d", i)
	if _, err := c.lsRefs(ctx, branch, "refs/tags/"); err != nil {
		return got{}, err
	}
	g, err := c.fetch(ctx, want{id: chain[0], haves: chain[10:26]})
	if err == nil && g.objects < 10 {
		err = fmt.Errorf("%d objects came with ten commits", g.objects)
	}
	return g, err
}

// lsRefs is that one request, over a connection on which the host knows the client.
func lsRefs(name, corpus string, ops int, prefixes ...string) workload {
	return workload{
		name: name, corpus: corpus, ops: ops, turns: many, repeated: true,
		ready: func(ctx context.Context, b *bench, h host) error {
			b.open = converse(h.remote(corpus))
			return b.open.open(ctx)
		},
		run: func(ctx context.Context, b *bench, h host, _ int) (got, error) {
			n, err := b.open.lsRefs(ctx, prefixes...)
			expected := len(prefixes)
			if expected == 0 {
				expected = b.corpora[corpus].refs()
			}
			if err == nil && n != expected {
				err = fmt.Errorf("%d refs came, of %d", n, expected)
			}
			return got{}, err
		},
	}
}

// refs is how many a host is given.
func (c corpus) refs() int { return 2 + c.variants + c.topics }

// push pushes with git.
func (b *bench) push(ctx context.Context, h host, corpus, repository string, specs ...string) error {
	r := h.remote(repository)
	g := b.git.as("BENCH_USER="+r.user, "BENCH_PASSWORD="+r.password)
	_, err := g.run(ctx, b.corpora[corpus].dir, append([]string{"push", "--quiet", r.url}, specs...)...)
	return err
}

func pushAll(corpus string, turns int) workload {
	return workload{
		name: "push of the whole repository, " + corpus, whole: corpus, ops: 1, turns: turns,
		run: func(ctx context.Context, b *bench, h host, i int) (got, error) {
			name := corpus
			if i > 0 {
				name = fmt.Sprintf("%s-%d", corpus, i)
			}
			return got{}, b.bring(ctx, h, corpus, name)
		},
	}
}

func pushOne(name, corpus string) workload {
	return workload{
		name: name, corpus: corpus, ops: 5, turns: 40,
		run: func(ctx context.Context, b *bench, h host, i int) (got, error) {
			return got{}, b.push(ctx, h, corpus, corpus, fmt.Sprintf("refs/next/%d:refs/heads/main", i))
		},
	}
}

func protect(ctx context.Context, b *bench, h host) error { return h.protect(ctx, "small") }

func pushDenied(ctx context.Context, b *bench, h host, _ int) (got, error) {
	err := b.push(ctx, h, "small", "small", "refs/next/150:"+protected)
	switch {
	case err == nil:
		err = errors.New("the host took what it had to refuse")
	case strings.Contains(err.Error(), "[remote rejected]"):
		err = nil
	}
	return got{}, err
}

func sshClone(ctx context.Context, b *bench, h host, i int) (got, error) {
	return got{}, b.sshClone(ctx, h, fmt.Sprintf("v/%d", 39-i)) // not those cloned over HTTP
}

func sshCloneAgain(ctx context.Context, b *bench, h host, _ int) (got, error) {
	return got{}, b.sshClone(ctx, h, "v/20")
}
