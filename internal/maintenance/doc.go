// Package maintenance keeps repositories cheap to serve and gives back what nobody needs
// any more. It writes many small packs anew as one, publishes that by a transaction that
// compares and swaps, and deletes the blobs of packs that were replaced, of repositories
// that were deleted and of pushes that never came to an end, a grace period later.
//
// It never drops an object of a live repository, reachable or not: so it may race with
// any push, and the repository's epoch stays.
package maintenance
