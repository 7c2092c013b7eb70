package authn

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/fault"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	isoBasic  = "20060102T150405Z"

	// skew is how far the clocks of a client and the host may be apart.
	skew = 5 * time.Minute

	maxExpires       = 7 * 24 * 60 * 60 // seconds that a presigned request may be good for
	maxAuthorization = 8 << 10          // bytes of the Authorization header
	maxSignedHeaders = 128              // names in a claim's list
)

// claim is what a request says of its own signature.
type claim struct {
	presigned     bool
	credential    string
	signedHeaders string
	signature     string
	at            time.Time     // when it was signed
	expires       time.Duration // presigned only: how long it is good for; 0 when it does not say
	bodyHashes    []string      // X-Amz-Content-Sha256
	tokens        []string      // X-Amz-Security-Token: none, or the one of temporary credentials
}

// readClaim finds the claim in the Authorization header or in the query. Both at once
// are refused: what is signed must not depend on where one looks first.
func readClaim(r *http.Request, query []parameter) (claim, error) {
	headers := r.Header.Values("Authorization")
	presigned := slices.ContainsFunc(query, func(p parameter) bool {
		return p.name == "X-Amz-Algorithm" || p.name == "X-Amz-Credential" || p.name == "X-Amz-Signature"
	})
	switch {
	case len(headers) == 0 && !presigned:
		return claim{}, fault.MissingAuthenticationToken.New("Request is missing Authentication Token")
	case len(headers) > 1 || len(headers) == 1 && presigned:
		return claim{}, incomplete("The request carries more than one signature.")
	}
	var c claim
	var err error
	if presigned {
		c, err = readQueryClaim(r, query)
	} else {
		c, err = readHeaderClaim(r, headers[0])
	}
	if err == nil && len(c.tokens) > 1 {
		err = incomplete("The request carries more than one session token.")
	}
	return c, err
}

func incomplete(format string, args ...any) error {
	return fault.IncompleteSignature.New(format, args...)
}

// readHeaderClaim parses "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…,
// Signature=…". All parts that are missing are told at once, as AWS does; the header is
// not repeated in the answer, because what stands there may be a secret.
func readHeaderClaim(r *http.Request, authorization string) (claim, error) {
	if len(authorization) > maxAuthorization {
		return claim{}, incomplete("The Authorization header is longer than %d bytes.", maxAuthorization)
	}
	parts, err := parseAuthorization(authorization)
	if err != nil {
		return claim{}, err
	}
	c := claim{
		credential: parts["Credential"], signedHeaders: parts["SignedHeaders"], signature: parts["Signature"],
		bodyHashes: r.Header.Values("X-Amz-Content-Sha256"),
		tokens:     r.Header.Values("X-Amz-Security-Token"),
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	amzDate, date := r.Header.Values("X-Amz-Date"), r.Header.Values("Date")
	if len(amzDate) == 0 && len(date) == 0 {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if missing != nil {
		return claim{}, incomplete("%s", strings.Join(missing, " "))
	}
	if len(amzDate) > 0 {
		c.at, err = parseTime(amzDate)
	} else {
		c.at, err = parseTime(date)
	}
	return c, err
}

func parseAuthorization(authorization string) (map[string]string, error) {
	scheme, rest, _ := strings.Cut(authorization, " ")
	if scheme != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': %q.", shorten(scheme))
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.Trim(part, " \t"), "=")
		if !ok {
			return nil, incomplete("Authorization header has a part that is not a key=value pair (missing equal-sign).")
		}
		if _, twice := parts[name]; twice {
			return nil, incomplete("Authorization header has the parameter %q twice.", shorten(name))
		}
		parts[name] = value
	}
	return parts, nil
}

func readQueryClaim(r *http.Request, query []parameter) (claim, error) {
	given := map[string][]string{}
	for _, p := range query {
		if strings.HasPrefix(p.name, "X-Amz-") {
			given[p.name] = append(given[p.name], p.value)
		}
	}
	var missing []string
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature", "X-Amz-SignedHeaders"} {
		if len(given[name]) != 1 || given[name][0] == "" {
			missing = append(missing, "AWS query-string parameters must include '"+name+"' exactly once.")
		}
	}
	if missing != nil {
		return claim{}, incomplete("%s Re-examine the query-string parameters.", strings.Join(missing, " "))
	}
	if a := given["X-Amz-Algorithm"][0]; a != algorithm {
		return claim{}, incomplete("Unsupported AWS 'algorithm': %q.", shorten(a))
	}
	c := claim{
		presigned:     true,
		credential:    given["X-Amz-Credential"][0],
		signedHeaders: given["X-Amz-SignedHeaders"][0],
		signature:     given["X-Amz-Signature"][0],
		bodyHashes:    slices.Concat(r.Header.Values("X-Amz-Content-Sha256"), given["X-Amz-Content-Sha256"]),
		tokens:        slices.Concat(given["X-Amz-Security-Token"], r.Header.Values("X-Amz-Security-Token")),
	}
	if e, ok := given["X-Amz-Expires"]; ok {
		seconds, err := strconv.Atoi(e[0])
		if err != nil || len(e) > 1 || seconds < 1 || seconds > maxExpires {
			return claim{}, incomplete("X-Amz-Expires must be a number of seconds from 1 to %d.", maxExpires)
		}
		c.expires = time.Duration(seconds) * time.Second
	}
	var err error
	c.at, err = parseTime(given["X-Amz-Date"])
	return c, err
}

// parseTime reads a date in one of the forms that a signer may send. More than one
// value is ambiguous.
func parseTime(values []string) (time.Time, error) {
	for _, layout := range []string{isoBasic, http.TimeFormat} {
		if t, err := time.Parse(layout, values[0]); err == nil && len(values) == 1 && t.Nanosecond() == 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, incomplete("Date must be in ISO-8601 'basic format'. Got %q. See http://en.wikipedia.org/wiki/ISO_8601",
		shorten(strings.Join(values, ",")))
}

// shorten keeps an answer from repeating at length what a client sent.
func shorten(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// checkClock refuses a claim that is too old or too new. A presigned request may say
// itself how long it is good for.
func (c claim) checkClock(now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	good, tail := skew, "5 min."
	if c.expires > 0 {
		good, tail = c.expires, strconv.Itoa(int(c.expires/time.Second))+" sec."
	}
	if earliest := now.Add(-good); c.at.Before(earliest) {
		return fault.SignatureDoesNotMatch.New("Signature expired: %s is now earlier than %s (%s - %s)",
			c.at.Format(isoBasic), earliest.Format(isoBasic), now.Format(isoBasic), tail)
	}
	if latest := now.Add(skew); c.at.After(latest) {
		return fault.SignatureDoesNotMatch.New("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			c.at.Format(isoBasic), latest.Format(isoBasic), now.Format(isoBasic))
	}
	return nil
}

// headerNames returns the signed headers, sorted, and refuses a list without those that
// say where the request goes and what it asks: an unsigned X-Amz-Target could be
// exchanged on the way.
func (c claim) headerNames(r *http.Request) ([]string, error) {
	names := strings.Split(strings.ToLower(c.signedHeaders), ";")
	if len(names) > maxSignedHeaders {
		return nil, incomplete("More than %d signed headers.", maxSignedHeaders)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	signed := func(name string) bool { _, found := slices.BinarySearch(names, name); return found }
	if !signed("host") && !signed(":authority") {
		return nil, unsigned("'Host' or ':authority'")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		must := strings.HasPrefix(lower, "x-amz-") || lower == "content-type" && !c.presigned
		if must && !signed(lower) {
			return nil, unsigned("'" + shorten(name) + "'")
		}
	}
	return names, nil
}

func unsigned(header string) error {
	return fault.SignatureDoesNotMatch.New("%s must be a 'SignedHeader' in the AWS Authorization.", header)
}
