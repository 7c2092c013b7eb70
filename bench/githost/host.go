package main

import (
	"context"
	"errors"
)

// host is a Git host that is measured. Its data is new in each run, and repositories
// come into it as users bring them: by a push.
type host interface {
	name() string
	// start installs the host, if need be, and starts it. The error says why it cannot
	// be had here; the others are measured all the same.
	start(ctx context.Context) error
	stop()
	server() *process
	// create makes an empty repository.
	create(ctx context.Context, repository string) error
	remote(repository string) remote
	// tidy does, after a repository was pushed, what the host or its administrator
	// would do by the next day.
	tidy(ctx context.Context, repository string) error
	// protect has pushes to refs/heads/protected of the repository refused.
	protect(ctx context.Context, repository string) error
	// ssh is where the repository is cloned over SSH by the holder of a key.
	ssh(ctx context.Context, repository string, k sshKey) (url string, err error)
}

// sshKey is the client's key; the public half is in the file with .pub at the end.
type sshKey struct {
	file   string
	public string
}

// errNot is for what a host does not have.
var errNot = errors.New("the host has no such thing")

// protected is the branch whose pushes are refused.
const protected = "refs/heads/protected"
