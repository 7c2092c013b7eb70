package policy

import (
	"cmp"
	"strconv"
	"strings"
)

// number is a decimal number of any size, exact: the digits before and after the
// point, without leading zeros in the one and trailing zeros in the other.
type number struct {
	negative    bool
	whole, frac string
}

// maxExponent bounds what 1e9 may stand for.
const maxExponent = 400

// parseNumber reads [+-]digits[.digits][e[+-]digits]; one side of the point may be
// empty.
func parseNumber(s string) (number, bool) {
	var n number
	switch {
	case strings.HasPrefix(s, "-"):
		n.negative, s = true, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var ok bool
		if s, ok = shift(s[:i], s[i+1:]); !ok {
			return number{}, false
		}
	}
	n.whole, n.frac, _ = strings.Cut(s, ".")
	if n.whole == "" && n.frac == "" || !allDigits(n.whole) || !allDigits(n.frac) {
		return number{}, false
	}
	n.whole = strings.TrimLeft(n.whole, "0")
	n.frac = strings.TrimRight(n.frac, "0")
	if n.whole == "" && n.frac == "" {
		n.negative = false
	}
	return n, true
}

// shift moves the decimal point of an unsigned number by an exponent.
func shift(mantissa, exponent string) (string, bool) {
	e, err := strconv.Atoi(exponent)
	whole, frac, _ := strings.Cut(mantissa, ".")
	if err != nil || e > maxExponent || e < -maxExponent || whole == "" && frac == "" {
		return "", false
	}
	if e >= 0 {
		frac += strings.Repeat("0", max(0, e-len(frac)))
		return whole + frac[:e] + "." + frac[e:], true
	}
	whole = strings.Repeat("0", max(0, -e-len(whole))) + whole
	cut := len(whole) + e
	return whole[:cut] + "." + whole[cut:] + frac, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// compare returns -1, 0 or 1.
func (n number) compare(o number) int {
	if n.negative != o.negative {
		if n.negative {
			return -1
		}
		return 1
	}
	c := cmp.Compare(len(n.whole), len(o.whole))
	if c == 0 {
		c = cmp.Compare(n.whole, o.whole)
	}
	if c == 0 {
		// Without trailing zeros, fractions sort like words.
		c = cmp.Compare(n.frac, o.frac)
	}
	if n.negative {
		c = -c
	}
	return c
}
