package awsapi

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/refward/refward/internal/fault"
)

// The bounds of a form.
const (
	maxParams    = 8192
	maxParamName = 512 // bytes; it also bounds how deep a name reaches into a shape
)

// param is one parameter of an awsQuery request.
type param struct{ name, value string }

// form is the parameters of an awsQuery request, sorted by name, so that all of one
// structure or list stand together. No name appears twice.
type form []param

// parseForm reads application/x-www-form-urlencoded text.
func parseForm(text string) (form, error) {
	var f form
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		if len(f) == maxParams {
			return nil, fault.MalformedInput.New("The request has more than %d parameters", maxParams)
		}
		p, err := parseParam(pair)
		if err != nil {
			return nil, err
		}
		f = append(f, p)
	}
	slices.SortFunc(f, func(a, b param) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(f); i++ {
		if f[i].name == f[i-1].name {
			return nil, fault.MalformedInput.New("The parameter %q appears twice", f[i].name)
		}
	}
	return f, nil
}

func parseParam(pair string) (param, error) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	if len(rawName) > maxParamName {
		return param{}, fault.MalformedInput.New("The name of a parameter is longer than %d bytes", maxParamName)
	}
	name, err := url.QueryUnescape(rawName)
	if err != nil || !utf8.ValidString(name) {
		return param{}, fault.MalformedInput.New("The name of a parameter is not percent-encoded UTF-8")
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil || !utf8.ValidString(value) {
		return param{}, fault.MalformedInput.New("The value of the parameter %q is not percent-encoded UTF-8", name)
	}
	return param{name, value}, nil
}

// get returns the value of the parameter with exactly this name.
func (f form) get(name string) (string, bool) {
	i, ok := f.search(name)
	if !ok {
		return "", false
	}
	return f[i].value, true
}

// under returns the parameters whose names begin with name and a dot: the members of
// a structure, the elements of a list.
func (f form) under(name string) form {
	prefix := name + "."
	i, _ := f.search(prefix)
	n := 0
	for n < len(f)-i && strings.HasPrefix(f[i+n].name, prefix) {
		n++
	}
	return f[i : i+n]
}

func (f form) search(name string) (int, bool) {
	return slices.BinarySearchFunc(f, name, func(p param, name string) int { return cmp.Compare(p.name, name) })
}
