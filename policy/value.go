package policy

// ValueType says what the values of a condition key are. Values are text all the same:
// an operator reads them.
type ValueType uint8

// The types of values.
const (
	StringValue ValueType = iota
	NumericValue
	BoolValue
	AddressValue
	DateValue
	BinaryValue // in base64
)

// String returns a word or two for people.
func (t ValueType) String() string {
	return name(t, "text", "a number", "true or false", "an IP address", "a date", "base64")
}

// Valid reports whether an operator meant for the type can read the text as a value of a
// request. One that cannot be read is equal to nothing.
func (t ValueType) Valid(text string) (ok bool) {
	switch t {
	case NumericValue:
		_, ok = parseNumber(text)
	case BoolValue:
		ok = foldEqual(text, "true") || foldEqual(text, "false")
	case AddressValue:
		_, ok = parseAddress(text)
	case DateValue:
		_, ok = parseInstant(text)
	case BinaryValue:
		_, ok = parseBinary(text)
	default:
		ok = true
	}
	return ok
}
