// Package gitserver is the front door for Git clients: smart HTTP ([Handler],
// gitprotocol-http(5)) and SSH ([SSH]), protocol versions 0, 1 and 2.
//
// It identifies the caller, reads what Git says with package wire, runs the three
// operations of package codecommit through op.Invoke (GitPull, GitPushAdvertise,
// GitPush), and answers. It decides nothing about permission and never moves a ref.
// Advertisements and ls-refs are answered here, from a snapshot of the refs; a fetch is
// passed on to git's upload-pack, on the same snapshot.
//
// Git LFS is served beside it, with the messages of package lfs: its API over HTTP
// (lfs.go), and git-lfs-transfer (lfstransfer.go) and git-lfs-authenticate over SSH. What
// both doors do is in lfsdesk.go. The operations are those of package codecommit whose
// names begin with GitLFS.
//
// A push that is refused is read to its end before it is answered, within limits: git
// takes an early answer for "Everything up-to-date" and loses the reason.
//
// How errors reach a client is in render.go, and nowhere else.
package gitserver
