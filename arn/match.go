package arn

import (
	"strings"
	"unicode/utf8"
)

// SplitPattern cuts a pattern into its parts, at most six, the word arn included.
// Colons inside ${…} belong to the variable's name and do not cut. An ARN with fewer
// than six parts is incomplete: the missing parts are filled up with *, and the answer
// has six (IAM User Guide, "IAM identifiers"). So is any text that ends in *. Other
// text is answered as short as it is.
func SplitPattern(pattern string) []string {
	return appendParts(make([]string, 0, 6), pattern) // on the caller's stack, mostly
}

func appendParts(parts []string, pattern string) []string {
	start, depth := 0, 0
	for i := 0; i < len(pattern) && len(parts) < 5; i++ {
		switch c := pattern[i]; {
		case c == '{' && i > 0 && pattern[i-1] == '$':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == ':' && depth == 0:
			parts = append(parts, pattern[start:i])
			start = i + 1
		}
	}
	parts = append(parts, pattern[start:])
	if strings.HasPrefix(pattern, "arn:") || strings.HasSuffix(pattern, "*") {
		for len(parts) < 6 {
			parts = append(parts, "*")
		}
	}
	return parts
}

// Match reports whether a pattern covers a name, both as text, by the rules of a
// policy's Resource element: * alone covers everything; otherwise each part of the
// pattern is a glob for the same part of the name, case-sensitive. Missing parts are
// those of [SplitPattern]. Variables are ordinary text.
func Match(pattern, name string) bool {
	if pattern == "*" {
		return true
	}
	p := SplitPattern(pattern)
	a, ok := Cut(name)
	if !ok || len(p) != 6 || p[0] != "arn" {
		return false
	}
	for i, text := range [...]string{a.Partition, a.Service, a.Region, a.Account, a.Resource} {
		if !glob(p[i+1], text) {
			return false
		}
	}
	return true
}

// glob matches text against a pattern of * (any characters) and ? (one character).
// On a mismatch it goes back to the last * only, which is enough: an earlier * could
// only take more of what the later one can take as well. So the steps are at most
// len(pattern) × len(text).
func glob(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			_, n := utf8.DecodeRuneInString(text[t:])
			p, t = p+1, t+n
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			_, n := utf8.DecodeRuneInString(text[mark:])
			mark += n
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
