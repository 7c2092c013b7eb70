package maintenance

import (
	"cmp"
	"slices"

	"github.com/refward/refward/internal/repo"
)

// plan chooses the packs to make one of; none where nothing is due. It is due when
// there are many packs, or when the largest came with a push and is large enough that a
// bitmap pays at once. Where the largest came with a push all packs become one, for only
// that one can have a bitmap; so each byte is written once more than the rest says.
//
// Packs form a geometric progression: each is at least ratio times as large as all
// smaller ones together. Those at the small end that do not become one, so that a byte
// is written again only each time that the pack it is in has become ratio times as large,
// which is as often as its logarithm (the rule of git-repack(1), --geometric). Packs
// from frozen bytes on are left alone: to write them again would gain nothing.
func (o Options) plan(packs []repo.Pack) []string {
	if len(packs) == 0 {
		return nil
	}
	bySize := slices.Clone(packs)
	slices.SortFunc(bySize, func(a, b repo.Pack) int { return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.ID, b.ID)) })
	thawed := slices.DeleteFunc(slices.Clone(bySize), func(p repo.Pack) bool { return p.Size >= o.FrozenBytes })
	many := len(thawed) >= o.Packs
	largest := bySize[len(bySize)-1]
	if (many || largest.Size >= o.BitmapBytes) && !largest.Bitmap && !largest.Consolidated {
		return ids(bySize)
	}
	if !many {
		return nil
	}
	if n := misfits(thawed); n > 1 {
		return ids(thawed[:n])
	}
	return nil
}

// ratio is by how much each pack is larger than all smaller ones together.
const ratio = 2

// misfits counts the packs at the small end that must become one for the progression to
// hold. The packs are sorted by size.
func misfits(packs []repo.Pack) int {
	n := 0
	for i := 1; i < len(packs); i++ {
		if packs[i].Size < ratio*packs[i-1].Size {
			n = i + 1
		}
	}
	var sum int64
	for _, p := range packs[:n] {
		sum += p.Size
	}
	for n > 0 && n < len(packs) && packs[n].Size < ratio*sum {
		sum += packs[n].Size
		n++
	}
	return n
}

func ids(packs []repo.Pack) []string {
	all := make([]string, len(packs))
	for i, p := range packs {
		all[i] = p.ID
	}
	return all
}
