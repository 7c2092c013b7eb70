package policy

import (
	"strings"
	"testing"
)

// What Valid says of a text is what an operator of the type makes of it: a value that
// can be read is equal to itself.
func TestValid(t *testing.T) {
	operators := map[ValueType]string{
		StringValue: "StringEquals", NumericValue: "NumericEquals", BoolValue: "Bool",
		AddressValue: "IpAddress", DateValue: "DateEquals", BinaryValue: "BinaryEquals",
	}
	for _, tc := range []struct {
		valueType ValueType
		text      string
		want      bool
	}{
		{StringValue, "", true},
		{NumericValue, "12", true}, {NumericValue, "-1.5e3", true}, {NumericValue, "twelve", false}, {NumericValue, "", false},
		{BoolValue, "true", true}, {BoolValue, "false", true}, {BoolValue, "yes", false}, {BoolValue, "1", false},
		{AddressValue, "10.0.0.1", true}, {AddressValue, "::1", true}, {AddressValue, "10.0.0.0/8", false}, {AddressValue, "host", false},
		{DateValue, "2026-01-15T10:30:00Z", true}, {DateValue, "1768473000", true}, {DateValue, "soon", false},
		{BinaryValue, "YQ==", true}, {BinaryValue, "a!", false},
	} {
		if got := tc.valueType.Valid(tc.text); got != tc.want {
			t.Errorf("%q is %v: %v, want %v", tc.text, tc.valueType, got, tc.want)
		}
		c := compileCondition(&Condition{Operator: operators[tc.valueType], Key: "k:a", Values: []string{tc.text}}, false)
		r := Request{}
		r.Context.Set("k:a", tc.text)
		if got := c.test(&matcher{ctx: &r.Context}) == yes; got != tc.want {
			t.Errorf("%s of %q with itself: %v, want %v", operators[tc.valueType], tc.text, got, tc.want)
		}
	}
}

// Refusals of the host name the types by these words.
func TestValueTypeWords(t *testing.T) {
	words := []string{"text", "a number", "true or false", "an IP address", "a date", "base64", "6"}
	for i, want := range words {
		if got := ValueType(i).String(); got != want {
			t.Errorf("type %d is called %q, want %q", i, got, want)
		}
	}
}

// A line shows the first bytes of a long text, cut between two characters.
func TestClip(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", ""},
		{strings.Repeat("a", 256), strings.Repeat("a", 256)},
		{strings.Repeat("a", 257), strings.Repeat("a", 256) + "…"},
		{strings.Repeat("a", 255) + "éé", strings.Repeat("a", 255) + "…"},
		{strings.Repeat("é", 200), strings.Repeat("é", 128) + "…"},
	} {
		if got := clip(tc.text); got != tc.want {
			t.Errorf("%d bytes became %q", len(tc.text), got)
		}
	}
}
