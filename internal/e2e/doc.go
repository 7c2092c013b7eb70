// Package e2e tests whole hosts from the outside, with clients that nobody here wrote:
// the aws command, git, and bytes that no client would send. It is nothing but tests.
package e2e
