package share_test

import (
	"testing"

	"github.com/refward/refward/internal/share"
)

// BenchmarkTake is a place that is there, taken and given back.
func BenchmarkTake(b *testing.B) {
	g := share.New(share.Options{Places: 64})
	ctx := share.As(b.Context(), "a")
	for b.Loop() {
		release, err := g.Take(ctx)
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}
