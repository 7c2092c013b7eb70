package maintenance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/refward/refward/internal/repo"
)

// packed makes packs of these sizes: named after them, those in brackets consolidated
// with a bitmap.
func packed(sizes ...int64) []repo.Pack {
	var all []repo.Pack
	for i, s := range sizes {
		p := repo.Pack{ID: fmt.Sprint(i), Size: s}
		if s < 0 {
			p.Size, p.Bitmap, p.Consolidated = -s, true, true
		}
		all = append(all, p)
	}
	return all
}

func TestPlan(t *testing.T) {
	o := Options{Packs: 4, BitmapBytes: 1000, FrozenBytes: 5000}
	for _, tc := range []struct {
		name  string
		sizes []int64 // negative: consolidated, with a bitmap
		want  string  // places in sizes, smallest pack first
	}{
		{"none", nil, ""},
		{"few", []int64{10, 10, 10}, ""},
		{"many of one size", []int64{10, 10, 10, 10}, "0 1 2 3"},
		{"beside a large one with a bitmap", []int64{-900, 10, 10, 10, 10}, "1 2 3 4"},
		{"that have come to half of it", []int64{-100, 20, 20, 20}, "1 2 3 0"},
		{"beside one that is large enough for both", []int64{-400, -50, 10, 10, 10}, "2 3 4 1"},
		{"in progression already", []int64{-800, 200, 50, 10}, ""},
		{"one large without a bitmap", []int64{1000}, "0"},
		{"one large without a bitmap among others", []int64{1000, 10}, "1 0"},
		{"not so large", []int64{999, 10}, ""},
		{"not so large, and many", []int64{999, 10, 10, 10}, "1 2 3 0"},
		{"one large with its bitmap", []int64{-1000, 10}, ""},
		{"frozen ones do not count", []int64{-6000, -5000, 10, 10, 10}, ""},
		{"and are left alone", []int64{-6000, 10, 10, 10, 10}, "1 2 3 4"},
		{"but for a first bitmap", []int64{6000, 10}, "1 0"},
	} {
		if got := strings.Join(o.plan(packed(tc.sizes...)), " "); got != tc.want {
			t.Errorf("%s: %v become one of %q, want %q", tc.name, tc.sizes, got, tc.want)
		}
	}
}

// TestPlanIsCheap: with any sizes of pushes the packs stay few, and each byte is written
// again at most as often as the logarithm says.
func TestPlanIsCheap(t *testing.T) {
	o := Options{}.withDefaults()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var packs []repo.Pack
		var pushed, written int64
		const pushes = 3000
		for i := range pushes {
			size := int64(300 + r.IntN(2000))
			if r.IntN(50) == 0 {
				size = int64(math.Exp(r.Float64() * 14)) // up to a megabyte
			}
			pushed += size
			packs = append(packs, repo.Pack{ID: fmt.Sprint(i), Size: size})
			chosen := o.plan(packs)
			if len(chosen) == 0 {
				if len(packs) >= o.Packs+20 {
					t.Fatalf("seed %d: %d packs and nothing is due", seed, len(packs))
				}
				continue
			}
			one := repo.Pack{ID: fmt.Sprint("m", i), Consolidated: true, Bitmap: len(chosen) == len(packs)}
			packs = slices.DeleteFunc(packs, func(p repo.Pack) bool {
				if slices.Contains(chosen, p.ID) {
					one.Size += p.Size
					return true
				}
				return false
			})
			packs = append(packs, one)
			written += one.Size
		}
		if most := math.Log2(pushes) + 1; float64(written) > most*float64(pushed) {
			t.Errorf("seed %d: %d bytes were pushed and %d written, more than %.1f times as many", seed, pushed, written, most)
		}
		if seed == 0 {
			t.Logf("%d pushes of %d bytes: each byte was written again %.1f times", pushes, pushed, float64(written)/float64(pushed))
		}
	}
}
