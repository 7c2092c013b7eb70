package sqlstore

import (
	"log/slog"
	"testing"

	"github.com/refward/refward/internal/authz"
)

// BenchmarkAppend is what a decision costs its caller.
func BenchmarkAppend(b *testing.B) {
	for what, durable := range map[string]bool{"durable": true, "read": false} {
		entry := logEntry(1, durable)
		entry.Values = []authz.Value{{Key: "codecommit:References", Values: []string{"refs/heads/main"}}}
		entry.Reason = "allowed by statement 1 of policy Developers of group Developers"
		entry.Policies = []string{"0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"}
		run := func(b *testing.B) *Decisions {
			db := openBench(b)
			d := db.OpenDecisions(b.Context(), slog.New(slog.DiscardHandler))
			b.Cleanup(func() {
				if err := d.Close(); err != nil {
					b.Error(err)
				}
			})
			b.ReportAllocs()
			return d
		}
		b.Run(what+"/one caller", func(b *testing.B) {
			d := run(b)
			for b.Loop() {
				if err := d.Append(b.Context(), entry); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(what+"/64 callers", func(b *testing.B) {
			d := run(b)
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := d.Append(b.Context(), entry); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
