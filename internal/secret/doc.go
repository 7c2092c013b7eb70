// Package secret makes secrets and identifiers, keeps them at rest, and keeps them
// out of logs.
//
// A secret that must come back in the clear (a secret access key, which SigV4
// signatures are computed with) is sealed: AES-256-GCM under a key derived from the
// master key, in an envelope that names the master key and is bound to the row it
// belongs to. What a session token says is sealed in the same envelope, but kept by
// whom it was given to (a ticket). A secret that must only be recognised (a Git password) is hashed. The
// master key is never in the database: it is a file of mode 0600 in the data
// directory, or comes from the environment; see [OpenKeeper].
//
// Whoever has a copy of the database alone can neither use nor check a secret;
// whoever has the master key as well has everything. Login passwords, which people
// choose, are not for this package: they need a slow hash.
package secret
