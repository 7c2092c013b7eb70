package awsapi

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// encode returns an operation's output as awsQuery answers it:
// XResponse/XResult/members, without XResult for an operation that has no output.
// Nil members are left out; an empty list that is not nil is written empty.
func (c *queryCodec) encode(s *service, operation, requestID string, out any) ([]byte, error) {
	w := &xmlWriter{codec: c, buf: make([]byte, 0, 512)}
	w.buf = append(w.buf, "<"+operation+`Response xmlns="`+s.namespace+`">`...)
	v := reflect.ValueOf(out).Elem()
	if len(c.shape(v.Type())) > 0 || emptyResults[v.Type()] {
		w.buf = append(w.buf, "<"+operation+"Result>"...)
		if err := w.members(v); err != nil {
			return nil, err
		}
		w.buf = append(w.buf, "</"+operation+"Result>"...)
	}
	w.buf = append(w.buf, "<ResponseMetadata><RequestId>"...)
	w.buf = appendXMLText(w.buf, requestID)
	w.buf = append(w.buf, "</RequestId></ResponseMetadata></"+operation+"Response>"...)
	return w.buf, nil
}

// xmlWriter writes values of the SDK's types as XML elements.
type xmlWriter struct {
	codec *queryCodec
	buf   []byte
}

func (w *xmlWriter) members(v reflect.Value) error {
	for _, m := range w.codec.shape(v.Type()) {
		f := v.Field(m.field)
		if isAbsent(f) {
			continue
		}
		if err := w.element(m.name, f); err != nil {
			return err
		}
	}
	return nil
}

// isAbsent reports whether a member is left out: what is nil, and an enumeration
// (the only strings that are not pointers) without a value.
func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}

func (w *xmlWriter) element(name string, v reflect.Value) error {
	w.buf = append(w.buf, '<')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '>')
	if err := w.value(v); err != nil {
		return err
	}
	w.buf = append(w.buf, '<', '/')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '>')
	return nil
}

// value writes what stands between the tags. The kinds are those that occur in the
// SDK's structs.
func (w *xmlWriter) value(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		return w.value(v.Elem())
	case reflect.String:
		w.buf = appendXMLText(w.buf, v.String())
	case reflect.Bool:
		w.buf = strconv.AppendBool(w.buf, v.Bool())
	case reflect.Int32, reflect.Int64:
		w.buf = strconv.AppendInt(w.buf, v.Int(), 10)
	case reflect.Struct:
		if v.Type() == timeType {
			w.buf = v.Interface().(time.Time).UTC().AppendFormat(w.buf, "2006-01-02T15:04:05Z")
			return nil
		}
		return w.members(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			w.buf = base64.StdEncoding.AppendEncode(w.buf, v.Bytes())
			return nil
		}
		return w.list(v)
	case reflect.Map:
		return w.entries(v)
	case reflect.Interface:
		return w.union(v)
	default:
		return fmt.Errorf("awsQuery: no way to write a %s", v.Type())
	}
	return nil
}

func (w *xmlWriter) list(v reflect.Value) error {
	for i := range v.Len() {
		if err := w.element("member", v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (w *xmlWriter) entries(v reflect.Value) error {
	byKey := map[string]reflect.Value{}
	for k, value := range v.Seq2() {
		byKey[k.String()] = value
	}
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		w.buf = append(w.buf, "<entry><key>"...)
		w.buf = appendXMLText(w.buf, k)
		w.buf = append(w.buf, "</key>"...)
		if err := w.element("value", byKey[k]); err != nil {
			return err
		}
		w.buf = append(w.buf, "</entry>"...)
	}
	return nil
}

func (w *xmlWriter) union(v reflect.Value) error {
	for _, m := range unions[v.Type()] {
		if v.Elem().Type() == reflect.PointerTo(m.typ) {
			return w.element(m.name, v.Elem().Elem().FieldByName("Value"))
		}
	}
	return fmt.Errorf("awsQuery: no way to write a %s", v.Type())
}

// appendXMLText appends s as character data. What XML 1.0 cannot hold becomes
// U+FFFD: control characters, bytes that are not UTF-8.
func appendXMLText(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if with := xmlEscape(r, n); with != "" {
			dst = append(dst, s[start:i]...)
			dst = append(dst, with...)
			start = i + n
		}
		i += n
	}
	return append(dst, s[start:]...)
}

// xmlEscape returns what stands for a rune of n bytes, "" for itself.
func xmlEscape(r rune, n int) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '\r': // a reader would make a line feed of it
		return "&#xD;"
	case r == '\t', r == '\n':
		return ""
	case r < 0x20, r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError && n == 1:
		return "\uFFFD"
	default:
		return ""
	}
}
