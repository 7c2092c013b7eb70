package wire

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
)

func BenchmarkEncodeRefs(b *testing.B) {
	for _, n := range []int{10, 20000} {
		refs := manyRefs(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := (&LsRefs{Peel: true, Symrefs: true}).EncodeRefs(io.Discard, slices.Values(refs)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodePush(b *testing.B) {
	limits := PushLimits{Commands: 4000, Shallow: 10, Bytes: 8 << 20, Options: 10, OptionBytes: 100}
	for _, n := range []int{1, 4000} {
		p := Push{Capabilities: Capabilities{"report-status", "side-band-64k", "agent=git/2.39.5"}}
		for i := range n {
			p.Commands = append(p.Commands, Command{Old: id(1), New: id(2), Ref: refname.Name(fmt.Sprintf("refs/heads/branch-%d", i))})
		}
		text := string(p.Append(nil))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodePush(pktline.NewReader(strings.NewReader(text)), limits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
