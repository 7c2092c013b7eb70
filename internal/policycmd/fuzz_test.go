package policycmd

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func seedLines(f *testing.F) {
	for line := range bytes.Lines(storyLines(6)) {
		f.Add(line)
	}
	for _, members := range []string{
		pull, allowed, `"id": {"a": [1, "\u00e9\\\""]}, "scps": [[` + everything + `], []], ` + allowed,
		`"trust": ` + trustsAnn + `, "principal": "arn:aws:iam::111122223333:user/ann", "action": "sts:AssumeRole", "resource": "*"`,
		`"context": {"a:b": ["x", 1, true], "c:d": "\ud83d\ude00"}, "boundary": ["{}"], "session": null, ` + allowed,
	} {
		f.Add([]byte("{" + members + "}"))
	}
	f.Add([]byte("{\"id\": 1}\n\n[]\r\n{"))
}

// Whatever the bytes, there is one answer to each line, in JSON; a second time it is the
// same, although everything is compiled by then; and the ID comes back.
func FuzzDecideLines(f *testing.F) {
	seedLines(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second bytes.Buffer
		if err := decideLines(t.Context(), bytes.NewReader(text), &first); err != nil {
			t.Fatal(err)
		}
		d := decider{cache: newCache()}
		for range 2 {
			second.Reset()
			enc := json.NewEncoder(&second)
			enc.SetEscapeHTML(false)
			for line := range bytes.Lines(text) {
				a := d.answer(bytes.TrimSuffix(line, []byte("\n")))
				if err := enc.Encode(&a); err != nil {
					t.Fatal(err)
				}
			}
			if first.String() != second.String() {
				t.Fatalf("%s\nis not\n%s", first.String(), second.String())
			}
		}
		answers := slices.Collect(strings.Lines(first.String()))
		i := 0
		for line := range bytes.Lines(text) {
			checkAnswer(t, line, answers[i])
			i++
		}
		if i != len(answers) {
			t.Fatalf("%d answers to %d lines", len(answers), i)
		}
	})
}

func checkAnswer(t *testing.T, line []byte, text string) {
	t.Helper()
	var a result
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	switch a.Decision {
	case "allow", "explicitDeny", "implicitDeny", "invalid":
	default:
		t.Fatalf("decision %q", a.Decision)
	}
	if len(a.Reasons) == 0 {
		t.Fatalf("no reason: %s", text)
	}
	var asked map[string]any
	if json.Unmarshal(line, &asked) != nil || a.Decision == "invalid" {
		return
	}
	var id any
	if err := json.Unmarshal(a.ID, &id); err != nil || !reflect.DeepEqual(id, asked["id"]) {
		t.Fatalf("ID %s to %s", a.ID, line)
	}
}

// The cursor cuts JSON as the standard library does.
func FuzzMembers(f *testing.F) {
	seedLines(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if checkJSON(text) != nil {
			if json.Valid(text) && bytes.Equal(text, bytes.ToValidUTF8(text, nil)) {
				t.Fatalf("refused %q", text)
			}
			return
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Skip("a number that is too large")
		}
		if got := rebuild(t, (&cursor{text: text}).value()); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %v, want %v", text, got, want)
		}
	})
}

// rebuild makes of JSON what the standard library would, by the cursor.
func rebuild(t *testing.T, value []byte) any {
	switch value[0] {
	case '{':
		all := map[string]any{}
		err := members(value, func(name string, v []byte) error {
			all[name] = rebuild(t, v)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	case '[':
		all := []any{}
		_ = items(value, func(v []byte) error {
			all = append(all, rebuild(t, v))
			return nil
		})
		return all
	case '"':
		text, ok := textOf(value)
		if strings.Contains(text, "\uFFFD") == ok && !bytes.Contains(bytes.ToLower(value), []byte("fffd")) && !bytes.Contains(value, []byte("\uFFFD")) {
			t.Fatalf("%q became %q, taken: %v", value, text, ok)
		}
		return text
	default:
		var v any
		if err := json.Unmarshal(value, &v); err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		return v
	}
}
