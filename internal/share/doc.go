// Package share gives out places that there are few of, such as processes, so that no one
// holder takes them all. A holder may have a share of the places of a [Gate] and no more,
// whether others want them or not: what comes next is theirs at once. Who has to wait
// does so in a line of each holder's own, and the lines take turns, so that a thousand
// requests of one holder stand before nobody else's first.
//
// A place can be for several holders at once: those who wait for the same answer are a
// [Party]. It counts once for each of them, and is to be had as soon as one of them has
// room, so that nobody waits behind another's share.
//
// Who holds travels in the context: between the door that knows who asks and the process
// that is started for them lie packages that need not know.
package share
