package lfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	oid1 = strings.Repeat("1", 64)
	oid2 = strings.Repeat("ab", 32)
)

// What git-lfs sends, and the answers of its documentation's examples.
func TestDecodeBatch(t *testing.T) {
	master := "refs/heads/master"
	id1, id2 := OID{}, OID{}
	for i := range id1 {
		id1[i], id2[i] = 0x11, 0xab
	}
	for name, tc := range map[string]struct {
		in   string
		want Batch
	}{
		"as git-lfs sends it": {
			`{"operation":"upload","objects":[{"oid":"` + oid1 + `","size":3}],"transfers":["lfs-standalone-file","basic","ssh"],"ref":{"name":"refs/heads/master"},"hash_algo":"sha256"}`,
			Batch{Upload, &master, []BatchObject{{Object{id1, 3}, oid1, ""}}}},
		"no ref, no transfers": {`{"operation":"download","objects":[{"oid":"` + oid2 + `","size":0}]}`,
			Batch{Download, nil, []BatchObject{{Object{id2, 0}, oid2, ""}}}},
		"a null ref, an unknown member, unknown transfers": {`{"operation":"download","ref":null,"later":[{}],"transfers":["tus"],"objects":[]}`,
			Batch{Download, nil, []BatchObject{}}},
		"objects that cannot be": {`{"operation":"upload","objects":[{"oid":"../x","size":1},{"oid":"` + strings.ToUpper(oid2) + `","size":1},{"oid":"` + oid1 + `"},{"oid":"` + oid1 + `","size":-1}]}`,
			Batch{Upload, nil, []BatchObject{
				{Given: "../x", Wrong: ErrOID.Error()}, {Given: strings.ToUpper(oid2), Wrong: ErrOID.Error()},
				{Given: oid1, Wrong: "the size is missing"}, {Object: Object{Size: -1}, Given: oid1, Wrong: "the size is negative"},
			}}},
	} {
		got, err := DecodeBatch([]byte(tc.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(&tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestDecodeBatchRefuses(t *testing.T) {
	objects := func(n int) string {
		return `[` + strings.TrimSuffix(strings.Repeat(`{"oid":"`+oid1+`","size":1},`, n), ",") + `]`
	}
	for name, tc := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                   {``, ErrSyntax},
		"half of it":                {`{"operation":"upload","objects":[`, ErrSyntax},
		"another value":             {`{"operation":"upload","objects":[]} {}`, ErrSyntax},
		"a list":                    {`[]`, ErrSyntax},
		"no operation":              {`{"objects":[]}`, ErrSyntax},
		"an unknown operation":      {`{"operation":"delete","objects":[]}`, ErrSyntax},
		"the operation twice":       {`{"operation":"download","operation":"upload","objects":[]}`, ErrSyntax},
		"the ref twice":             {`{"operation":"upload","ref":{"name":"refs/heads/a"},"Ref":{"name":"refs/heads/b"},"objects":[]}`, ErrSyntax},
		"the ref's name twice":      {`{"operation":"upload","ref":{"name":"refs/heads/a","NAME":"refs/heads/b"},"objects":[]}`, ErrSyntax},
		"a ref that is a text":      {`{"operation":"upload","ref":"refs/heads/a","objects":[]}`, ErrSyntax},
		"a ref without a name":      {`{"operation":"upload","ref":{},"objects":[]}`, ErrSyntax},
		"a ref with an empty name":  {`{"operation":"upload","ref":{"name":""},"objects":[]}`, ErrSyntax},
		"a ref that is too long":    {`{"operation":"upload","ref":{"name":"` + strings.Repeat("x", maxRefBytes+1) + `"},"objects":[]}`, ErrSyntax},
		"a size with a fraction":    {`{"operation":"upload","objects":[{"oid":"` + oid1 + `","size":1.5}]}`, ErrSyntax},
		"a size that is a text":     {`{"operation":"upload","objects":[{"oid":"` + oid1 + `","size":"1"}]}`, ErrSyntax},
		"a size beyond all":         {`{"operation":"upload","objects":[{"oid":"` + oid1 + `","size":9223372036854775808}]}`, ErrSyntax},
		"an object ID of a number":  {`{"operation":"upload","objects":[{"oid":1,"size":1}]}`, ErrSyntax},
		"not UTF-8":                 {"{\"operation\":\"upload\",\"x\":\"\xff\",\"objects\":[]}", ErrSyntax},
		"nested":                    {`{"operation":"upload","objects":[],"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, ErrSyntax},
		"another hash":              {`{"operation":"upload","hash_algo":"sha512","objects":[]}`, ErrHashAlgorithm},
		"one object more than fits": {`{"operation":"upload","objects":` + objects(MaxBatchObjects+1) + `}`, ErrTooManyObjects},
	} {
		if b, err := DecodeBatch([]byte(tc.in)); !errors.Is(err, tc.want) || b != nil {
			t.Errorf("%s: got %v, %v, want %v", name, b, err, tc.want)
		}
	}
	if b, err := DecodeBatch([]byte(`{"operation":"upload","objects":` + objects(MaxBatchObjects) + `}`)); err != nil || len(b.Objects) != MaxBatchObjects {
		t.Errorf("as many objects as fit: %v", err)
	}
}

func TestDecodeLocks(t *testing.T) {
	topic := "refs/heads/topic"
	create, err := DecodeLock([]byte(`{"path":"a/b.bin","ref":{"name":"refs/heads/topic"}}`))
	if d := cmp.Diff(LockRequest{"a/b.bin", &topic}, create); err != nil || d != "" {
		t.Errorf("lock: %v\n%s", err, d)
	}
	for in, want := range map[string]UnlockRequest{
		``: {}, `{}`: {}, `{"force":true,"ref":{"name":"refs/heads/topic"}}`: {true, &topic}, `{"force":false,"ref":null}`: {},
	} {
		if got, err := DecodeUnlock([]byte(in)); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("unlock %s: %+v, %v", in, got, err)
		}
	}
	verify, err := DecodeVerify([]byte(`{"cursor":"c","limit":7,"ref":{"name":"refs/heads/topic"}}`))
	if d := cmp.Diff(VerifyRequest{&topic, "c", 7}, verify); err != nil || d != "" {
		t.Errorf("verify: %v\n%s", err, d)
	}
	for _, bad := range []string{`{"force":"true"}`, `{"force":false,"Force":true}`, `{"ref":{}}`, `null x`, `{`} {
		if got, err := DecodeUnlock([]byte(bad)); !errors.Is(err, ErrSyntax) {
			t.Errorf("unlock %s: %+v, %v", bad, got, err)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, good := range []string{"a", "a/b.bin", "ä/€", ".gitattributes", "a b/c", "..a", `a\b`, strings.Repeat("x", MaxPathBytes)} {
		if err := CheckPath(good); err != nil {
			t.Errorf("%.40q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\x00b", "a\nb", "\xff", "a\u0085b", strings.Repeat("x", MaxPathBytes+1)} {
		if err := CheckPath(bad); !errors.Is(err, ErrPath) {
			t.Errorf("%.40q: %v, want ErrPath", bad, err)
		}
	}
}

func TestParseOID(t *testing.T) {
	sum := OID(sha256.Sum256(nil))
	if got, err := ParseOID(fmt.Sprintf("%x", sha256.Sum256(nil))); err != nil || got != sum || got.String() != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("got %s, %v", got, err)
	}
	for _, bad := range []string{"", oid1[1:], oid1 + "1", strings.ToUpper(oid2), oid1[:63] + "g", oid1[:62] + "é"} {
		if got, err := ParseOID(bad); !errors.Is(err, ErrOID) || got != (OID{}) {
			t.Errorf("%q: %s, %v", bad, got, err)
		}
	}
}
