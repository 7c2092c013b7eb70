package authn

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxQuery is the longest query string that is looked at: a policy document in it may
// have 131,072 characters, each percent-encoded.
const maxQuery = 512 << 10

// parameter is one name and value of a query, decoded.
type parameter struct{ name, value string }

// parseQuery reads a query as the operation's decoder does (a plus is a blank), so that
// what is signed is what is run. It is stricter: what that one would skip is refused.
func parseQuery(raw string) ([]parameter, error) {
	if len(raw) > maxQuery {
		return nil, incomplete("The query string is longer than %d bytes.", maxQuery)
	}
	var all []parameter
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if cmp.Or(err, err2) != nil || strings.Contains(pair, ";") {
			return nil, incomplete("The query string is not percent-encoded.")
		}
		all = append(all, parameter{name, value})
	}
	return all, nil
}

// canonicalRequest is everything of a canonical request but the body's hash.
type canonicalRequest struct {
	method string
	paths  []string // as received and, where it differs, normalised: signers do either
	rest   string   // query, headers and the list of their names
}

// text completes the canonical request.
func (c canonicalRequest) text(path, payload string) string {
	return c.method + "\n" + path + "\n" + c.rest + "\n" + payload
}

func canonicalise(r *http.Request, query []parameter, names []string) canonicalRequest {
	received := receivedPath(r)
	paths := []string{encodePath(received)}
	if normal := normalise(received); normal != received {
		paths = append(paths, encodePath(normal))
	}
	var b strings.Builder
	b.WriteString(canonicalQuery(query))
	b.WriteByte('\n')
	for _, name := range names {
		b.WriteString(name)
		b.WriteByte(':')
		for i, v := range headerValues(r, name) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(trimAll(v))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(names, ";"))
	return canonicalRequest{method: r.Method, paths: paths, rest: b.String()}
}

// receivedPath returns the path as it came, still encoded: URL.EscapedPath encodes
// some characters anew that a client may have left alone.
func receivedPath(r *http.Request) string {
	p := r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		p, _, _ = strings.Cut(r.RequestURI, "?")
	}
	if p == "" {
		return "/"
	}
	return p
}

// normalise removes empty and dot segments, as the signing process asks for every
// service but S3.
func normalise(p string) string {
	clean := path.Clean("/" + p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	return clean
}

func encodePath(p string) string { return encode(p, "/") }

// encode percent-encodes every byte but the unreserved ones of RFC 3986 and those
// in also.
func encode(s, also string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c == '-' || c == '.' || c == '_' || c == '~' || strings.IndexByte(also, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// canonicalQuery sorts by the encoded name and then by the encoded value. The
// signature of a presigned request is not part of what it signs.
func canonicalQuery(query []parameter) string {
	encoded := make([]parameter, 0, len(query))
	for _, p := range query {
		if p.name != "X-Amz-Signature" {
			encoded = append(encoded, parameter{encode(p.name, ""), encode(p.value, "")})
		}
	}
	slices.SortFunc(encoded, func(a, b parameter) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

// headerValues returns the values of a signed header. The HTTP server keeps the host
// apart from the other headers.
func headerValues(r *http.Request, name string) []string {
	if name == "host" || name == ":authority" {
		return []string{r.Host}
	}
	values := r.Header.Values(name)
	if name == "content-length" && len(values) == 0 && r.ContentLength >= 0 {
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	return values
}

// trimAll removes white space around a value and turns runs of blanks inside it
// into one.
func trimAll(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "  ") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != ' ' || s[i-1] != ' ' { // the first byte is no blank
			b = append(b, s[i])
		}
	}
	return string(b)
}

// signingKey is a secret bound to a scope.
type signingKey struct {
	scope string
	key   []byte
}

func deriveKey(secret string, s scope) signingKey {
	k := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, s.term} {
		k = sum(k, part)
	}
	return signingKey{scope: s.text(), key: k}
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// sign returns the signature of a canonical request, in hexadecimal. date is as the
// client put it into the string to sign.
func (k signingKey) sign(date, canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(sum(k.key, algorithm+"\n"+date+"\n"+k.scope+"\n"+hex.EncodeToString(hash[:])))
}

// same compares two texts in time that depends on their lengths alone; 1 is equal.
func same(a, b string) int { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) }
