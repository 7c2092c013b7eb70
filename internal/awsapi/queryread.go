package awsapi

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/refward/refward/internal/fault"
)

// decode reads the parameters of a request into the struct that in points to. It
// refuses, as a fault, values that are not of the members' types and lists whose
// numbers have gaps; parameters that the struct does not have are ignored.
func (c *queryCodec) decode(f form, in any) error {
	v := reflect.ValueOf(in).Elem()
	for _, m := range c.shape(v.Type()) {
		if err := c.read(f, m.name, v.Field(m.field)); err != nil {
			return err
		}
	}
	return nil
}

// read reads what stands in the form under name into v, which stays as it is where
// nothing does. The kinds are those that occur in the SDK's structs.
func (c *queryCodec) read(f form, name string, v reflect.Value) error {
	text, ok := f.get(name)
	below := f.under(name)
	if !ok && len(below) == 0 {
		return nil
	}
	if t := v.Type(); isScalar(t) || t.Kind() == reflect.Pointer && isScalar(t.Elem()) {
		if !ok {
			return fault.MalformedInput.New("%s is a value and has no members", name)
		}
		if t.Kind() == reflect.Pointer {
			v.Set(reflect.New(t.Elem()))
			v = v.Elem()
		}
		return scan(name, text, v)
	}
	if text != "" {
		return fault.MalformedInput.New("%s has members or elements and no value of its own", name)
	}
	return c.readBelow(below, name, v)
}

// readBelow reads a structure, union, list or map. An empty list is sent as its name
// without a value.
func (c *queryCodec) readBelow(f form, name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return c.readBelow(f, name, v.Elem())
	case reflect.Struct:
		for _, m := range c.shape(v.Type()) {
			if err := c.read(f, name+"."+m.name, v.Field(m.field)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Interface:
		return c.readUnion(f, name, v)
	case reflect.Slice:
		return c.readList(f, name, v)
	case reflect.Map:
		return c.readMap(f, name, v)
	default:
		return fmt.Errorf("awsQuery: no way to read a %s", v.Type())
	}
}

func (c *queryCodec) readList(f form, name string, v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return numbered(f, name+".member", func(f form, name string) error {
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		last := v.Index(v.Len() - 1)
		last.SetZero()
		return c.read(f, name, last)
	})
}

func (c *queryCodec) readMap(f form, name string, v reflect.Value) error {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	return numbered(f, name+".entry", func(f form, name string) error {
		key, ok := f.get(name + ".key")
		if !ok {
			return fault.MalformedInput.New("%s has no key", name)
		}
		k := reflect.New(t.Key()).Elem()
		k.SetString(key)
		if v.MapIndex(k).IsValid() {
			return fault.MalformedInput.New("%s has the key of an entry before it", name)
		}
		value := reflect.New(t.Elem()).Elem()
		if err := c.read(f, name+".value", value); err != nil {
			return err
		}
		v.SetMapIndex(k, value)
		return nil
	})
}

func (c *queryCodec) readUnion(f form, name string, v reflect.Value) error {
	for _, m := range unions[v.Type()] {
		member := name + "." + m.name
		if _, ok := f.get(member); !ok && len(f.under(member)) == 0 {
			continue
		}
		if !v.IsNil() {
			return fault.MalformedInput.New("%s has more than one of its members", name)
		}
		value := reflect.New(m.typ)
		if err := c.read(f, member, value.Elem().FieldByName("Value")); err != nil {
			return err
		}
		v.Set(value)
	}
	if v.IsNil() {
		return fault.MalformedInput.New("%s has none of its members", name)
	}
	return nil
}

// numbered calls element for name.1, name.2 and so on. Whatever number a request
// names, there are no more elements than parameters.
func numbered(f form, name string, element func(f form, name string) error) error {
	f = f.under(name)
	seen := 0
	for i := 1; seen < len(f); i++ {
		item := name + "." + strconv.Itoa(i)
		below := f.under(item)
		n := len(below)
		if _, ok := f.get(item); ok {
			n++
		}
		if n == 0 {
			return fault.MalformedInput.New("%s is missing: lists are numbered from 1 without gaps", item)
		}
		seen += n
		if err := element(f, item); err != nil {
			return err
		}
	}
	return nil
}

// isScalar reports whether values of the type are sent as one parameter.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
		return true
	case reflect.Struct:
		return t == timeType
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	default:
		return false
	}
}

// scan reads the text of a scalar.
func scan(name, text string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		if text == "true" || text == "false" {
			v.SetBool(text == "true")
			return nil
		}
	case reflect.Struct:
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			v.Set(reflect.ValueOf(t.UTC()))
			return nil
		}
	case reflect.Slice:
		if blob, err := base64.StdEncoding.Strict().DecodeString(text); err == nil {
			v.SetBytes(blob)
			return nil
		}
	default:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err == nil && text[0] != '+' {
			v.SetInt(n)
			return nil
		}
	}
	return fault.MalformedInput.New("The value of %s is not %s", name, wanted(v.Kind()))
}

// wanted names what a scalar of the kind is, for people.
func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Struct:
		return "a time such as 2006-01-02T15:04:05Z"
	case reflect.Slice:
		return "base64"
	default:
		return "a whole number in the range of its type"
	}
}
