package policy

import (
	"cmp"
	"strconv"
	"strings"
)

// instant is a point in time, exact: seconds since 1970 and the digits of a fraction,
// without trailing zeros.
type instant struct {
	seconds int64
	frac    string
}

func (t instant) compare(o instant) int {
	if c := cmp.Compare(t.seconds, o.seconds); c != 0 {
		return c
	}
	return cmp.Compare(t.frac, o.frac)
}

// maxYear keeps the seconds of any accepted date far inside an int64.
const maxYear = 292_278_993

// parseInstant reads a date of the W3C profile of ISO 8601 at any precision (2026,
// 2026-01, 2026-01-15, 2026-01-15T10:30Z, 2026-01-15T10:30:00.5+01:00) or seconds
// since 1970. Four digits alone are a year. IAM is known to take forms outside of the
// profile, such as 01T, and so does this: years of any length when a T or a month
// follows, and a time without a zone, which is UTC.
func parseInstant(s string) (instant, bool) {
	if t, ok := parseEpoch(s); ok {
		return t, true
	}
	date, clock, hasClock := strings.Cut(s, "T")
	days, ok := parseDay(date)
	if !ok {
		return instant{}, false
	}
	t := instant{seconds: days * 86400}
	if !hasClock || clock == "" {
		return t, true
	}
	clock, offset, ok := cutZone(clock)
	if !ok {
		return instant{}, false
	}
	secs, frac, ok := parseClock(clock)
	t.seconds += secs - offset
	t.frac = frac
	return t, ok
}

// parseEpoch reads seconds since 1970, perhaps negative, perhaps with a fraction.
func parseEpoch(s string) (instant, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, frac, hasFrac := strings.Cut(digits, ".")
	if len(whole) == 0 || len(whole) > 16 || !allDigits(whole) || !allDigits(frac) || hasFrac && frac == "" {
		return instant{}, false
	}
	if len(s) == 4 && !hasFrac && digits == s {
		return instant{}, false // a year
	}
	t := instant{frac: strings.TrimRight(frac, "0")}
	t.seconds, _ = strconv.ParseInt(whole, 10, 64)
	if digits != s {
		t.seconds = -t.seconds
		if t.frac != "" {
			t.seconds--
			t.frac = complement(t.frac)
		}
	}
	return t, true
}

// complement returns the digits of 1 - 0.frac.
func complement(frac string) string {
	b := []byte(frac)
	for i := range b {
		b[i] = '0' + '9' - b[i]
	}
	b[len(b)-1]++ // the last digit of frac is not 0, so this is no carry
	return string(b)
}

// parseDay reads year[-month[-day]] as days since 1970-01-01.
func parseDay(s string) (int64, bool) {
	negative := strings.HasPrefix(s, "-")
	year, rest, hasMonth := strings.Cut(strings.TrimPrefix(s, "-"), "-")
	y, ok := bounded(year, 9, 0, maxYear)
	if !ok {
		return 0, false
	}
	if negative {
		y = -y
	}
	m, d := int64(1), int64(1)
	if hasMonth {
		month, day, hasDay := strings.Cut(rest, "-")
		if m, ok = bounded(month, 2, 1, 12); !ok {
			return 0, false
		}
		if hasDay {
			if d, ok = bounded(day, 2, 1, daysIn(y, m)); !ok {
				return 0, false
			}
		}
	}
	return daysSince1970(y, m, d), true
}

// parseClock reads hours[:minutes[:seconds[.fraction]]] as seconds and fraction digits.
func parseClock(s string) (int64, string, bool) {
	hour, rest, hasMinute := strings.Cut(s, ":")
	h, ok := bounded(hour, 2, 0, 23)
	if !ok || !hasMinute {
		return h * 3600, "", ok
	}
	minute, rest, hasSecond := strings.Cut(rest, ":")
	m, ok := bounded(minute, 2, 0, 59)
	if !ok || !hasSecond {
		return h*3600 + m*60, "", ok
	}
	second, frac, hasFrac := strings.Cut(rest, ".")
	sec, ok := bounded(second, 2, 0, 59)
	ok = ok && allDigits(frac) && (!hasFrac || frac != "")
	return h*3600 + m*60 + sec, strings.TrimRight(frac, "0"), ok
}

// cutZone cuts Z, +hh:mm or -hh:mm off the end; the offset is in seconds east.
func cutZone(s string) (clock string, offset int64, ok bool) {
	if clock, ok = strings.CutSuffix(s, "Z"); ok {
		return clock, 0, true
	}
	i := strings.LastIndexAny(s, "+-")
	if i < 0 {
		return s, 0, true
	}
	hours, minutes, hasMinutes := strings.Cut(s[i+1:], ":")
	h, ok := bounded(hours, 2, 0, 23)
	m := int64(0)
	if ok && hasMinutes {
		m, ok = bounded(minutes, 2, 0, 59)
	}
	offset = h*3600 + m*60
	if s[i] == '-' {
		offset = -offset
	}
	return s[:i], offset, ok
}

// bounded reads a decimal of 1 to width digits between low and high.
func bounded(s string, width int, low, high int64) (int64, bool) {
	if s == "" || len(s) > width || !allDigits(s) {
		return 0, false
	}
	v, _ := strconv.ParseInt(s, 10, 64)
	return v, low <= v && v <= high
}

func daysIn(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// daysSince1970 counts days of the proleptic Gregorian calendar. Years are taken to
// begin in March, which puts the leap day at the end of a year.
func daysSince1970(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yearOfEra := y - era*400
	dayOfYear := (153*(m-3)+2)/5 + d - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}
