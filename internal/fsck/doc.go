// Package fsck checks a whole host that does not run: its database, every repository
// from what is stored (never from the cache), the history of every ref, the objects of
// Git LFS, and the decision log. It changes nothing. What is wrong is a [Finding], which says what to do next; what
// is merely waiting for maintenance is a [Note].
package fsck
