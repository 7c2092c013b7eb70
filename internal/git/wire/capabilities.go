package wire

import "strings"

// Capabilities is a list of capabilities, each "name" or "name=value". A name may
// stand more than once (symref).
type Capabilities []string

// ParseCapabilities reads a list separated by spaces.
func ParseCapabilities(text string) Capabilities { return strings.Fields(text) }

// Has reports whether the list has the name, with a value or without.
func (c Capabilities) Has(name string) bool {
	for _, s := range c {
		if got, _, _ := strings.Cut(s, "="); got == name {
			return true
		}
	}
	return false
}

// Value returns the first value of the name, or "".
func (c Capabilities) Value(name string) string {
	for _, s := range c {
		if got, value, _ := strings.Cut(s, "="); got == name && value != "" {
			return value
		}
	}
	return ""
}

// String returns the list separated by spaces.
func (c Capabilities) String() string { return strings.Join(c, " ") }
