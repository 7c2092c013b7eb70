package authz_test

import (
	"context"
	"testing"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
)

// silent is a Log for benchmarks, which keeps nothing.
type silent struct{}

func (silent) Append(context.Context, ...authz.Entry) error { return nil }

func BenchmarkAuthorize(b *testing.B) {
	for _, bc := range []struct {
		name  string
		check authz.Check
		allow bool
	}{
		{"allow", pushTo(payments, topic), true},
		{"explicit deny", pushTo(payments, main), false},
		{"implicit deny", pushTo(website, topic), false},
	} {
		b.Run(bc.name, func(b *testing.B) {
			a, _ := host(b)
			a.Log = silent{}
			c := ada()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Authorize(b.Context(), c, bc.check); (err == nil) != bc.allow || err != nil && !fault.Has(err, fault.AccessDenied) {
					b.Fatal(err)
				}
			}
		})
	}
}
