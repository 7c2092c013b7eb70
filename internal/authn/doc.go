// Package authn proves who is asking. It turns what a client presents (a SigV4
// signature, a Git credential over HTTP Basic) into an [Identity], against the
// credentials of a [Source]; the identity domain is the source. It decides nothing
// about permission: that is package authz.
//
// Terms: a claim is what a request says of its own signature (credential, signed
// headers, signature, date); the scope is the part of the credential after the key's
// ID: date, region, service and a constant. The canonical request is the text that
// both sides hash.
//
// A ticket ([Tickets]) lets a Git client come back without its credential, for one
// purpose and a short while; who brings it is proven again by the credential sealed in it.
//
// It implements "Signature Version 4 signing process" of the IAM User Guide, in a
// header and in a presigned query, and the "GIT" form of it that the CodeCommit
// credential helper of the AWS CLI and git-remote-codecommit give as a password.
package authn
