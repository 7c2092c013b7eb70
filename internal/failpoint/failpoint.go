// Package failpoint names the steps between which a host must be able to die. A binary
// built with the tag "failpoint" ends itself, as kill -9 does, at the step that a test
// arms; in every other binary [Reach] does nothing and costs nothing.
package failpoint

// Step is a place in the code, just after what its name says was done.
type Step string

// The steps of a push and of every other change of refs, and those of consolidation.
const (
	PackReceived  Step = "pack-received"  // a pack is checked, and in quarantine only
	PackStored    Step = "pack-stored"    // its bytes are durable, or ready for the transaction
	RefsMoved     Step = "refs-moved"     // inside the transaction, before it commits
	MoveCommitted Step = "move-committed" // the transaction has committed; nobody was told
	PackCached    Step = "pack-cached"    // the pack is in the cache, too; nobody was told
	PacksMerged   Step = "packs-merged"   // maintenance has made a pack, in its scratch folder only
	MergedStored  Step = "merged-stored"  // the new pack is durable, and nothing lists it
	PacksReplaced Step = "packs-replaced" // the transaction that lists it has committed
)
