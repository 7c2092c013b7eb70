package pack_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

var smallLimits = pack.SmallLimits{Pack: 256 << 10, Objects: 1000, Unpacked: 4 << 20, Chain: 50}

// from returns the objects of a repository as bases of thin packs.
func from(t *testing.T, r *gittest.Repo) pack.Base {
	return func(id oid.ID, limit int64) (object.Type, []byte, bool, error) {
		kind, err := r.Try("cat-file", "-t", id.String())
		if err != nil {
			return 0, nil, false, nil
		}
		kind = strings.TrimSpace(kind)
		typ, err := object.ParseType(kind)
		content := r.Pipe(nil, "cat-file", kind, id.String())
		if int64(len(content)) > limit {
			err = pack.ErrBeyond
		}
		return typ, content, true, err
	}
}

// TestSmallIsWhatGitMakes: packs of real histories, thin ones too, get the index that git
// makes of them, byte by byte, whatever pieces they come in.
func TestSmallIsWhatGitMakes(t *testing.T) {
	r := gittest.Init(t)
	text := strings.Repeat("a line of a text that makes a good delta\n", 100)
	first := r.Commit("f", text)
	var grown strings.Builder
	for i := range 12 {
		fmt.Fprintf(&grown, "%s%d\n", text, i)
		r.Commit("dir/g", grown.String())
	}
	r.Commit("f", text+"end\n")
	r.Git("tag", "-a", "-m", "t", "v1")
	for name, args := range map[string][]string{
		"offsets":       {"--delta-base-offset"},
		"named bases":   {"--no-reuse-delta"},
		"thin":          {"--thin", "--delta-base-offset"},
		"thin by names": {"--thin", "--no-reuse-delta"},
		"no deltas":     {"--window=0"},
	} {
		t.Run(name, func(t *testing.T) {
			data := r.Pipe([]byte("master\nv1\n^"+first.String()+"\n"), append([]string{"pack-objects", "--revs", "--stdout", "--quiet"}, args...)...)
			for _, src := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data)), iotest.DataErrReader(bytes.NewReader(data))} {
				s := pack.NewSmall(src, smallLimits)
				if err := errors.Join(s.Parse(), s.Resolve(from(t, r))); err != nil {
					t.Fatal(err)
				}
				sent, added := s.Deltas()
				if thin := strings.HasPrefix(name, "thin"); (added > 0) != thin || (sent > 0) != (name != "no deltas") {
					t.Errorf("%d deltas, %d bases added", sent, added)
				}
				checkIndex(t, s)
			}
		})
	}
}

// checkIndex lets git make the index of the finished pack.
func checkIndex(t *testing.T, s *pack.Small) {
	t.Helper()
	data, sum, err := s.Pack()
	if err != nil {
		t.Fatal(err)
	}
	r := gittest.Init(t)
	path := filepath.Join(t.TempDir(), "x.pack")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := r.Git("index-pack", path); got != sum.String() {
		t.Errorf("git calls it %s, and we %s", got, sum)
	}
	want, err := os.ReadFile(strings.TrimSuffix(path, "pack") + "idx")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Index(sum), want) {
		t.Error("the index is not git's")
	}
	r.Pipe(data, "unpack-objects", "-q")
	for _, o := range s.Objects() {
		if got := r.Pipe(nil, "cat-file", o.Type.String(), o.ID.String()); !bytes.Equal(got, o.Content) {
			t.Errorf("%s %s is not what git makes of it", o.Type, o.ID)
		}
	}
}

// TestSmallReadsNoFurther: a client that has sent its pack waits for the answer, and a
// Read more would wait for the client. What came together with the end is dropped.
func TestSmallReadsNoFurther(t *testing.T) {
	data, err := pack.Encode([]object.Raw{{Type: object.Blob, Content: []byte(strings.Repeat("x", 10_000))}, {Type: object.Blob}})
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"", "0000"} {
		pieces := &endless{t: t, r: iotest.HalfReader(bytes.NewReader(append(data[:len(data):len(data)], more...))), left: len(data)}
		s := pack.NewSmall(pieces, smallLimits)
		if err := errors.Join(s.Parse(), s.Resolve(nil)); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := s.Pack(); !bytes.Equal(got, data) {
			t.Error("the pack is another one")
		}
		if s.Beyond() > len(more) {
			t.Errorf("%d bytes behind the end", s.Beyond())
		}
	}
}

// endless is a stream that must not be read once so many bytes have come.
type endless struct {
	t    *testing.T
	r    io.Reader
	left int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		e.t.Error("read behind the end of the pack")
		return 0, io.EOF
	}
	n, err := e.r.Read(p)
	e.left -= n
	return n, err
}

// part is an entry of a pack that a test makes up.
type part struct {
	kind    byte
	between []byte // an ID, or how far back
	content []byte
}

func assemble(t *testing.T, parts ...part) []byte {
	t.Helper()
	b := pack.AppendHeader(nil, uint32(len(parts)))
	for _, p := range parts {
		b = appendEntry(t, b, p.kind, p.between, p.content)
	}
	return sealed(b)
}

func sealed(b []byte) []byte {
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

// delta is a delta that makes content of any base of a size.
func delta(base int, content string) []byte {
	b := binary.AppendUvarint(nil, uint64(base))
	b = binary.AppendUvarint(b, uint64(len(content)))
	if content != "" {
		b = append(b, byte(len(content)))
	}
	return append(b, content...)
}

// TestNotSmall: what is odd is an error, and all that was read can be read again.
func TestNotSmall(t *testing.T) {
	blob := part{3, nil, []byte("some content")}
	size := len(blob.content)
	blobID := object.Hash(object.Blob, blob.content)
	good := assemble(t, blob, part{6, []byte{21}, delta(size, "other")})
	first := len(appendEntry(t, nil, 3, nil, blob.content)) // so long is the first entry
	ofs := func(back int, delta []byte) part { return part{6, []byte{byte(back)}, delta} }
	ref := func(id oid.ID, delta []byte) part { return part{7, id[:], delta} }
	two := object.Hash(object.Blob, []byte("two"))
	one := object.Hash(object.Blob, []byte("one"))
	bomb := binary.AppendUvarint(binary.AppendUvarint(nil, 64<<10), 400<<20)
	bomb = append(bomb, bytes.Repeat([]byte{0x80}, 6400)...)
	raw := func(entry ...byte) []byte { return sealed(append(pack.AppendHeader(nil, 1), entry...)) }
	compressed := appendEntry(t, nil, 3, nil, []byte("x"))[1:]
	window := bytes.Clone(compressed) // says that 256 bytes of window are enough
	window[0], window[1] = 0x08, 0x1d
	many := make([]part, smallLimits.Objects+1)
	for i := range many {
		many[i] = part{3, nil, fmt.Append(nil, i)}
	}
	deep, length := []part{blob}, first
	for i := range smallLimits.Chain + 1 {
		p := ofs(length, delta(size, fmt.Sprintf("%0*d", size, i)))
		deep, length = append(deep, p), len(appendEntry(t, nil, p.kind, p.between, p.content))
	}
	for name, data := range map[string][]byte{
		"nothing":                     {},
		"not a pack":                  []byte("GIT has no such signature"),
		"version 3":                   sealed(append([]byte("PACK\x00\x00\x00\x03"), good[8:len(good)-20]...)),
		"no objects":                  assemble(t),
		"more objects than it says":   sealed(append(pack.AppendHeader(nil, 1), good[12:len(good)-20]...)),
		"fewer objects than it says":  sealed(append(pack.AppendHeader(nil, 3), good[12:len(good)-20]...)),
		"cut off":                     good[:len(good)/2],
		"cut in the trailer":          good[:len(good)-1],
		"another trailer":             append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"type 0":                      assemble(t, part{0, nil, nil}),
		"type 5":                      assemble(t, part{5, nil, nil}),
		"a size of three bytes":       raw(append([]byte{0xb1, 0x80, 0x00}, compressed...)...),
		"a size in too many bytes":    raw(append([]byte{0xb1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, compressed...)...),
		"a size that is huge":         raw(append([]byte{0xb1, 0xff, 0xff, 0xff, 0xff, 0x7f}, compressed...)...),
		"a size that is less":         raw(append([]byte{0x30}, compressed...)...),
		"a size that is more":         raw(append([]byte{0x32}, compressed...)...),
		"another checksum of data":    raw(append(append([]byte{0x31}, compressed[:len(compressed)-1]...), compressed[len(compressed)-1]^1)...),
		"another window":              raw(append([]byte{0x31}, window...)...),
		"no compressed data":          raw(append([]byte{0x31}, "xxxxxxxx"...)...),
		"back to nowhere":             assemble(t, blob, ofs(first-1, delta(size, "x"))),
		"back into an entry":          assemble(t, blob, part{3, nil, []byte("y")}, ofs(first, delta(size, "x"))),
		"back to itself":              assemble(t, blob, ofs(0, delta(size, "x"))),
		"back to the head":            assemble(t, blob, ofs(first+12, delta(size, "x"))),
		"back before the pack":        assemble(t, blob, part{6, []byte{0x80, 0x7f}, delta(size, "x")}),
		"back in too many bytes":      assemble(t, blob, part{6, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 1}, delta(size, "x")}),
		"a base that is nowhere":      assemble(t, blob, ref(oid.ID{1}, delta(size, "x"))),
		"each other's base":           assemble(t, ref(two, delta(3, "one")), ref(one, delta(3, "two"))),
		"its own base":                assemble(t, ref(one, delta(3, "one"))),
		"of another base":             assemble(t, blob, ofs(first, delta(size+1, "x"))),
		"makes less":                  assemble(t, blob, ofs(first, []byte{byte(size), 9, 1, 'x'})),
		"makes more":                  assemble(t, blob, ofs(first, []byte{byte(size), 1, 2, 'x', 'y'})),
		"copies too much":             assemble(t, blob, ofs(first, []byte{byte(size), byte(size) + 1, 0x90, byte(size) + 1})),
		"copies from behind":          assemble(t, blob, ofs(first, []byte{byte(size), 2, 0x91, byte(size) - 1, 2})),
		"an instruction that is none": assemble(t, blob, ofs(first, []byte{byte(size), 0, 0, 0})),
		"shorter than git allows":     assemble(t, blob, ofs(first, []byte{byte(size), 0})),
		"a bomb of copies":            assemble(t, part{3, nil, make([]byte, 64<<10)}, part{7, hashOf(make([]byte, 64<<10)), bomb}),
		"a bomb of zeros":             assemble(t, part{3, nil, make([]byte, smallLimits.Unpacked+1)}),
		"a bomb in parts":             assemble(t, part{3, nil, make([]byte, smallLimits.Unpacked/2)}, part{3, nil, make([]byte, smallLimits.Unpacked/2+1)}),
		"twice":                       assemble(t, blob, blob),
		"twice, once as a delta":      assemble(t, blob, ofs(first, delta(size, string(blob.content)))),
		"twice, by name":              assemble(t, ref(blobID, delta(size, string(blob.content))), blob),
		"too many objects":            assemble(t, many...),
		"a long chain":                assemble(t, deep...),
	} {
		t.Run(name, func(t *testing.T) {
			tail := "what comes behind"
			src := io.MultiReader(bytes.NewReader(data), strings.NewReader(tail))
			s := pack.NewSmall(src, smallLimits)
			err := s.Parse()
			if err == nil {
				err = s.Resolve(nil)
			}
			if err == nil {
				t.Error("taken")
			}
			if s.Failed() != nil {
				t.Errorf("the stream failed: %v", s.Failed())
			}
			if again, err := io.ReadAll(s.Again(src)); err != nil || string(again) != string(data)+tail {
				t.Errorf("%d bytes come again, of %d (%v)", len(again), len(data)+len(tail), err)
			}
		})
	}
	t.Run("and a good one", func(t *testing.T) {
		s := pack.NewSmall(bytes.NewReader(assemble(t, blob, ofs(first, delta(size, "other")), ref(blobID, delta(size, "more")))), smallLimits)
		if err := errors.Join(s.Parse(), s.Resolve(nil)); err != nil {
			t.Error(err)
		}
		s = pack.NewSmall(bytes.NewReader(assemble(t, deep[:len(deep)-1]...)), smallLimits)
		if err := errors.Join(s.Parse(), s.Resolve(nil)); err != nil {
			t.Error(err)
		}
	})
}

func hashOf(blob []byte) []byte {
	id := object.Hash(object.Blob, blob)
	return id[:]
}

// TestSmallBound: more than the limit is not read, and comes again.
func TestSmallBound(t *testing.T) {
	large := make([]byte, 3*smallLimits.Pack)
	for i := range large {
		large[i] = byte(i * i >> 3)
	}
	data := assemble(t, part{3, nil, large})
	limits := smallLimits
	limits.Pack = len(data) / 2
	src := bytes.NewReader(data)
	s := pack.NewSmall(iotest.HalfReader(src), limits)
	if err := s.Parse(); !errors.Is(err, pack.ErrBeyond) {
		t.Errorf("got %v", err)
	}
	if src.Len() == 0 {
		t.Error("all of it was read")
	}
	if again, err := io.ReadAll(s.Again(src)); err != nil || !bytes.Equal(again, data) {
		t.Errorf("%d bytes come again (%v)", len(again), err)
	}
}

func TestSmallStreamFails(t *testing.T) {
	boom := errors.New("connection reset")
	data := assemble(t, part{3, nil, []byte("content")})
	for n := range len(data) {
		s := pack.NewSmall(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(boom)), smallLimits)
		if err := s.Parse(); err == nil || !errors.Is(s.Failed(), boom) {
			t.Fatalf("after %d bytes: %v, %v", n, err, s.Failed())
		}
		if again, err := io.ReadAll(s.Again(iotest.ErrReader(boom))); !errors.Is(err, boom) || len(again) != n {
			t.Fatalf("after %d bytes: %d come again, %v", n, len(again), err)
		}
	}
}

// TestForeignBase: what is stored under an ID is not taken for the object of that ID.
func TestForeignBase(t *testing.T) {
	base := []byte("what the repository has")
	id := object.Hash(object.Blob, base)
	data := assemble(t, part{7, id[:], delta(len(base), "new")})
	for name, c := range map[string]struct {
		content string
		ok      bool
		err     error
		good    bool
	}{
		"right":   {string(base), true, nil, true},
		"wrong":   {"what the repository haz", true, nil, false},
		"missing": {"", false, nil, false},
		"broken":  {"", false, errors.New("disk"), false},
	} {
		s := pack.NewSmall(bytes.NewReader(data), smallLimits)
		if err := s.Parse(); err != nil {
			t.Fatal(err)
		}
		err := s.Resolve(func(oid.ID, int64) (object.Type, []byte, bool, error) {
			return object.Blob, []byte(c.content), c.ok, c.err
		})
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			checkIndex(t, s)
		}
	}
}

// shattered is the beginning of two known files with one SHA-1 (https://shattered.io):
// the collision is in it, whatever follows.
const shattered = "255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020522f4c656e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d3120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe017f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1"

func TestCollision(t *testing.T) {
	b, err := hex.DecodeString(shattered)
	if err != nil {
		t.Fatal(err)
	}
	if _, safe := object.SumChecked(b); safe {
		t.Error("a collision passes for SHA-1")
	}
	if sum, safe := object.SumChecked(b[:64], []byte("x")); !safe || sum != sha1.Sum(append(b[:64:64], 'x')) {
		t.Error("the beginning of it is no collision")
	}
	id, safe := object.HashChecked(object.Blob, b)
	if want := object.Hash(object.Blob, b); id != want || !safe {
		t.Errorf("as a blob it is %s, %v; want %s", id, safe, want)
	}
}

// FuzzSmall: no bytes make it panic or read too much, and what it takes it can index.
func FuzzSmall(f *testing.F) {
	good, err := pack.Encode([]object.Raw{{Type: object.Blob, Content: []byte("x")}, {Type: object.Tree}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x61\x01x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > pack.HeaderSize {
			data = sealed(data[:len(data):len(data)]) // else no mutation would get past the trailer
		}
		s := pack.NewSmall(bytes.NewReader(data), pack.SmallLimits{Pack: 1 << 16, Objects: 100, Unpacked: 1 << 16, Chain: 10})
		if s.Parse() != nil || s.Resolve(nil) != nil {
			return
		}
		got, sum, err := s.Pack()
		if err != nil || !bytes.Equal(got, data[:len(data)-s.Beyond()]) {
			t.Fatalf("the pack is another one (%v)", err)
		}
		x, err := pack.NewIndex(bytes.NewReader(s.Index(sum)))
		if err != nil {
			t.Fatal(err)
		}
		file := pack.NewFile(bytes.NewReader(got), int64(len(got)), x)
		for _, o := range s.Objects() {
			offset, ok, err := x.Find(o.ID)
			if err != nil || !ok {
				t.Fatalf("%s is not in the index (%v)", o.ID, err)
			}
			budget := int64(1 << 20)
			if typ, content, err := pack.NewResolver(file, &budget).Resolve(offset); err != nil || typ != o.Type || !bytes.Equal(content, o.Content) {
				t.Fatalf("%s is read as another object (%v)", o.ID, err)
			}
		}
	})
}
