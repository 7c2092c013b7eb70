package awsapi

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestElementNames: the SDK for Go reads IAM's answers without regard to case, but other
// clients do not. Here its source is the judge: each element that the codec writes for a
// structure is spelled as the SDK's reader of that structure spells it.
func TestElementNames(t *testing.T) {
	readers := readersOfIAM(t)
	seen := map[reflect.Type]bool{}
	for _, name := range Known("iam") {
		m, _ := reflect.TypeFor[*iam.Client]().MethodByName(name)
		checkElementNames(t, m.Type.Out(0).Elem(), readers, seen)
	}
	if len(seen) < 100 {
		t.Errorf("only %d structures were compared", len(seen))
	}
}

func checkElementNames(t *testing.T, typ reflect.Type, readers map[string]string, seen map[reflect.Type]bool) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == timeType || seen[typ] {
		return
	}
	seen[typ] = true
	var c queryCodec
	for _, m := range c.shape(typ) {
		reader, ok := readers[strings.ToLower(typ.Name())]
		if !ok {
			t.Fatalf("the SDK has no reader for %s", typ)
		}
		if !strings.Contains(reader, `strings.EqualFold("`+m.name+`", t.Name.Local)`) {
			t.Errorf("%s: the SDK reads no element %s", typ, m.name)
		}
		checkElementNames(t, typ.Field(m.field).Type, readers, seen)
	}
}

// readersOfIAM returns the SDK's functions that read IAM's structures, by the
// structure's name in lower case. The source lies where the compiler found it.
func readersOfIAM(t *testing.T) map[string]string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(iam.New).Pointer()).FileLine(reflect.ValueOf(iam.New).Pointer())
	source, err := os.ReadFile(filepath.Join(filepath.Dir(file), "deserializers.go"))
	if err != nil {
		t.Skipf("the source of the SDK is not on this machine: %v", err)
	}
	readers := map[string]string{}
	head := regexp.MustCompile(`^awsAwsquery_deserialize(?:OpDocument|Document)(\w+)\(`)
	for f := range strings.SplitSeq(string(source), "\nfunc ") {
		if m := head.FindStringSubmatch(f); m != nil {
			readers[strings.ToLower(m[1])] = f
		}
	}
	return readers
}
