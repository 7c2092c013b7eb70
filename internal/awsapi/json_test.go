package awsapi

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/fault"
)

func TestDecodeJSON(t *testing.T) {
	named := func(name string) *codecommit.GetBranchInput { return &codecommit.GetBranchInput{BranchName: &name} }
	tests := []struct {
		name, body string
		want       *codecommit.GetBranchInput
	}{
		{"empty object", ` { } `, &codecommit.GetBranchInput{}},
		{"member", "{\"branchName\"\t:\r\n\"dev\"}", named("dev")},
		{"null is absent", `{"branchName":null}`, &codecommit.GetBranchInput{}},
		{"unknown members of every kind", `{"x":{"y":[1,-0.5e+3,true,false,null,"\u00e9",{}]},"branchName":"dev","X":"y"}`, named("dev")},
		{"case counts", `{"BranchName":"dev"}`, &codecommit.GetBranchInput{}},
		{"escapes", `{"branch\u004eame":"\"\\\/\b\f\n\r\tA\u00e9\uD83D\uDD11"}`, named("\"\\/\b\f\n\r\tAé\U0001F511")},
		{"NUL", `{"branchName":"a\u0000b"}`, named("a\x00b")},
		{"UTF-8", `{"branchName":"é🔑"}`, named("é🔑")},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var c jsonCodec
			got := &codecommit.GetBranchInput{}
			if err := c.decode([]byte(tc.body), got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, sameShape); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	tests := []struct{ name, body string }{
		{"nothing", ""},
		{"white space", " "},
		{"array", `[]`},
		{"string", `"x"`},
		{"null", `null`},
		{"two values", `{} {}`},
		{"NUL after the end", "{}\x00"},
		{"truncated object", `{"repositoryName":"r"`},
		{"truncated string", `{"repositoryName":"r`},
		{"truncated escape", `{"repositoryName":"\u00`},
		{"truncated after a key", `{"repositoryName"`},
		{"truncated literal", `{"keepEmptyFolders":tru`},
		{"comma at the end", `{"repositoryName":"r",}`},
		{"no comma", `{"repositoryName":"r" "x":1}`},
		{"comma first", `{,}`},
		{"key without quotes", `{repositoryName:"r"}`},
		{"comment", `{/**/}`},
		{"byte order mark", "\ufeff{}"},
		{"single quotes", `{'repositoryName':'r'}`},
		{"number for a string", `{"repositoryName":1}`},
		{"object for a string", `{"repositoryName":{}}`},
		{"string for an object", `{"putFiles":["x"]}`},
		{"object for a list", `{"putFiles":{}}`},
		{"null in a list", `{"putFiles":[null]}`},
		{"string for a boolean", `{"keepEmptyFolders":"true"}`},
		{"number for a boolean", `{"keepEmptyFolders":1}`},
		{"bad base64", `{"putFiles":[{"fileContent":"a"}]}`},
		{"base64 with bits to spare", `{"putFiles":[{"fileContent":"QR=="}]}`},
		{"base64 for URLs", `{"putFiles":[{"fileContent":"-_-_"}]}`},
		{"key twice", `{"repositoryName":"r","repositoryName":"r"}`},
		{"key twice, once escaped", `{"repositoryName":"r","repository\u004eame":"r"}`},
		{"key twice in an unknown member", `{"x":{"a":1,"a":2}}`},
		{"unknown key twice", `{"x":1,"x":2}`},
		{"invalid UTF-8", "{\"repositoryName\":\"\xff\"}"},
		{"surrogate in UTF-8", "{\"repositoryName\":\"\xed\xa0\x80\"}"},
		{"lone high surrogate", `{"repositoryName":"\ud83d"}`},
		{"lone low surrogate", `{"repositoryName":"\udd11"}`},
		{"high surrogate twice", `{"repositoryName":"\ud83d\ud83d"}`},
		{"control character", "{\"repositoryName\":\"a\nb\"}"},
		{"control character after an escape", "{\"repositoryName\":\"\\\\a\nb\"}"},
		{"escape that is none", `{"repositoryName":"\x41"}`},
		{"hexadecimal that is none", `{"repositoryName":"\u00g0"}`},
		{"number: leading zero", `{"x":01}`},
		{"number: plus", `{"x":+1}`},
		{"number: no fraction", `{"x":1.}`},
		{"number: no integer", `{"x":.5}`},
		{"number: no exponent", `{"x":1e}`},
		{"number: minus alone", `{"x":-}`},
		{"number: NaN", `{"x":NaN}`},
		{"number: Infinity", `{"x":Infinity}`},
		{"number: hexadecimal", `{"x":0x1}`},
		{"deep arrays", `{"x":` + strings.Repeat("[", 100_000)},
		{"deep objects", strings.Repeat(`{"x":`, 100_000)},
		{"deeper than allowed", `{"x":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`},
		{"too many elements", `{"putFiles":[` + many(maxValues+1, "{}") + `]}`},
		{"too many unknown elements", `{"x":[` + many(maxValues+1, "1") + `]}`},
		{"too many members", `{` + memberNames(maxMembers+1) + `}`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var c jsonCodec
			err := c.decode([]byte(tc.body), &codecommit.CreateCommitInput{})
			if !fault.Has(err, fault.MalformedInput) {
				t.Errorf("got %v, want the fault MalformedInput", err)
			}
		})
	}
}

// memberNames returns n members of different names.
func memberNames(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"m` + strings.Repeat("x", i) + `":1`)
	}
	return b.String()
}

func TestDecodeJSONNumbers(t *testing.T) {
	tests := []struct {
		text string
		want int32
		ok   bool
	}{
		{"0", 0, true},
		{"-0", 0, true},
		{"2147483647", math.MaxInt32, true},
		{"-2147483648", math.MinInt32, true},
		{"2147483648", 0, false},
		{"99999999999999999999999999", 0, false},
		{"1.0", 0, false},
		{"1e2", 0, false},
		{`"1"`, 0, false},
		{"true", 0, false},
	}
	for _, tc := range tests {
		t.Run(tc.text, func(t *testing.T) {
			var c jsonCodec
			in := &codecommit.DescribePullRequestEventsInput{}
			err := c.decode([]byte(`{"maxResults":`+tc.text+`}`), in)
			switch {
			case tc.ok && (err != nil || *in.MaxResults != tc.want):
				t.Errorf("got %v, %v, want %d", in.MaxResults, err, tc.want)
			case !tc.ok && !fault.Has(err, fault.MalformedInput):
				t.Errorf("got %v, want the fault MalformedInput", err)
			}
		})
	}
}

// TestDecodeJSONTimes: no input of CodeCommit holds a time, but the codec is complete.
func TestDecodeJSONTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		"1484167798":          millis(1_484_167_798_000),
		"1484167798.123":      millis(1_484_167_798_123),
		"1.484167798E9":       millis(1_484_167_798_000),
		"-1":                  millis(-1000),
		"1e400":               {},
		"1e300":               {},
		"-253402300800":       {},
		`"2017-01-11T00:00Z"`: {},
	} {
		s, err := newScanner([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var got time.Time
		err = (&jsonReader{scanner: s}).value(reflect.ValueOf(&got).Elem(), nil)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestEncodeJSON(t *testing.T) {
	tests := []struct {
		name string
		out  any
		want string
	}{
		{"no members", &codecommit.CreateBranchOutput{}, `{}`},
		{"empty list", &codecommit.ListBranchesOutput{Branches: []string{}}, `{"branches":[]}`},
		{"list", &codecommit.ListBranchesOutput{Branches: []string{"a", "b"}, NextToken: aws.String("")}, `{"branches":["a","b"],"nextToken":""}`},
		{"structure", &codecommit.GetBranchOutput{Branch: &types.BranchInfo{BranchName: aws.String("a")}}, `{"branch":{"branchName":"a"}}`},
		{"times", &codecommit.GetRepositoryOutput{RepositoryMetadata: &types.RepositoryMetadata{
			CreationDate: aws.Time(millis(1_484_167_798_000)), LastModifiedDate: aws.Time(millis(1_484_167_798_070)),
		}}, `{"repositoryMetadata":{"creationDate":1484167798,"lastModifiedDate":1484167798.070}}`},
		{"map", &codecommit.ListTagsForResourceOutput{Tags: map[string]string{"a": "b"}}, `{"tags":{"a":"b"}}`},
		{"blob", &codecommit.GetBlobOutput{Content: []byte{0xff, 0xfe}}, `{"content":"//4="}`},
		{"text", &codecommit.GetBlobOutput{}, `{}`},
		{"what is not UTF-8", &codecommit.ListBranchesOutput{Branches: []string{"a\xffb", "\x00\"\\\n<é"}}, `{"branches":["a` + "\uFFFD" + `b","\u0000\"\\\u000a<é"]}`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var c jsonCodec
			got, err := c.encode(tc.out)
			if err != nil || string(got) != tc.want {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
}

// TestJSONNumbersThatAreNone: what JSON cannot hold is an error, not another value.
func TestJSONNumbersThatAreNone(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		var w jsonWriter
		w.WriteFloat64(nil, v)
		if w.err == nil || string(w.buf) != "null" {
			t.Errorf("%v: got %s, %v, want an error", v, w.buf, w.err)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"repositoryName":"r","branchName":"b"}`, `{"putFiles":[{"fileContent":"AAAA","filePath":"a"}],"keepEmptyFolders":true}`,
		`{"setFileModes":[{"fileMode":"NORMAL"}],"x":[1,-2.5e3,null,{"y":"\ud83d\udd11"}]}`, `{"a":1,"a":2}`, "{\"b\":\"\xff\"}",
		`{"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}`,
	} {
		f.Add([]byte(seed))
	}
	var c jsonCodec
	f.Fuzz(func(t *testing.T, body []byte) {
		in := &codecommit.CreateCommitInput{}
		err := c.decode(body, in)
		if err == nil && !json.Valid(body) {
			t.Fatalf("accepted what is not JSON: %q", body)
		}
		if err != nil {
			if !fault.Has(err, fault.MalformedInput) {
				t.Fatalf("got %v, want the fault MalformedInput", err)
			}
			return
		}
		// What was accepted survives being written and read again.
		var w jsonWriter
		in.Serialize(&w)
		again := &codecommit.CreateCommitInput{}
		if err := c.decode(w.buf, again); err != nil {
			t.Fatalf("%v in %s", err, w.buf)
		}
		if diff := cmp.Diff(in, again, sameShape); diff != "" {
			t.Fatalf("first -, again +:\n%s", diff)
		}
	})
}
