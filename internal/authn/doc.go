// Package authn proves who is asking. It turns what a client presents (a SigV4
// signature, a Git credential over HTTP Basic) into an [Identity], against the
// credentials of a [Source]; the identity domain is the source. It decides nothing
// about permission: that is package authz.
package authn
