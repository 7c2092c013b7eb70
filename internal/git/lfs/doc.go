// Package lfs holds the messages of the Git LFS API: the batch, its basic transfers, and
// locks (git-lfs, docs/api). Bytes in, values out: it knows neither HTTP nor storage.
//
// An object of LFS is named by the SHA-256 of its bytes ([OID]); what a commit holds in
// its place is a pointer file, which to Git is a file like any other.
//
// Every decoder takes a whole body that its reader has bounded, and is strict: one JSON
// value of the documented types, in UTF-8, without a member that is given twice. Members
// that it does not know are ignored, because newer clients send more.
package lfs

// MediaType is the type of every message.
const MediaType = "application/vnd.git-lfs+json"

// HashAlgorithm is the one that objects are named by.
const HashAlgorithm = "sha256"

// Transfer is the one adapter that is spoken, and that every client has.
const Transfer = "basic"
