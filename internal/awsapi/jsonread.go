package awsapi

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	smithy "github.com/aws/smithy-go"
)

// jsonCodec is awsJson1.1 for structs of the SDK. The SDK's inputs can serialize
// themselves but not be deserialized, so that reading is by reflection over the
// schemas they name; outputs are written through the SDK's own code. The zero value
// is ready; it is safe for concurrent use.
type jsonCodec struct {
	shapes sync.Map // reflect.Type of a struct -> jsonShape
}

// jsonShape is the members of a structure by their names on the wire.
type jsonShape map[string]jsonMember

type jsonMember struct {
	field  int
	schema *smithy.Schema
}

// decode reads a body into the struct that in points to. It refuses, as a fault,
// what is not JSON or not of the members' types; unknown members are ignored.
func (c *jsonCodec) decode(body []byte, in any) error {
	serializable, ok := in.(smithy.Serializable)
	if !ok {
		return fmt.Errorf("awsJson1.1: %T names no schema", in)
	}
	s, err := newScanner(body)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(in).Elem()
	d := &jsonReader{scanner: s, codec: c}
	if err := d.members(v, c.inputShape(v.Type(), serializable)); err != nil {
		return err
	}
	return s.end()
}

// inputShape returns the shape of an operation's input. Which schema it has is asked
// of the input: it names the schema when it serializes itself.
func (c *jsonCodec) inputShape(t reflect.Type, in smithy.Serializable) jsonShape {
	if shape, ok := c.shapes.Load(t); ok {
		return shape.(jsonShape)
	}
	var w jsonWriter
	in.Serialize(&w)
	return c.shape(t, w.root)
}

func (c *jsonCodec) shape(t reflect.Type, schema *smithy.Schema) jsonShape {
	if shape, ok := c.shapes.Load(t); ok {
		return shape.(jsonShape)
	}
	shape := jsonShape{}
	for name, member := range schema.Members() {
		// The SDK's generator makes a member's field of its name in upper case.
		if f, ok := t.FieldByName(strings.ToUpper(name[:1]) + name[1:]); ok {
			shape[name] = jsonMember{field: f.Index[0], schema: member}
		}
	}
	c.shapes.Store(t, shape)
	return shape
}

// jsonReader reads values of the SDK's types.
type jsonReader struct {
	*scanner
	codec *jsonCodec
}

var timeType = reflect.TypeFor[time.Time]()

// value reads a value into v. The kinds are those that occur in the SDK's structs.
func (d *jsonReader) value(v reflect.Value, schema *smithy.Schema) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem(), schema)
	case reflect.Struct:
		if v.Type() == timeType {
			return d.time(v)
		}
		return d.members(v, d.codec.shape(v.Type(), schema))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return d.blob(v)
		}
		return d.list(v, schema)
	case reflect.Map:
		return d.entries(v, schema)
	case reflect.String:
		text, err := d.text()
		v.SetString(string(text))
		return err
	case reflect.Bool:
		return d.bool(v)
	case reflect.Int32, reflect.Int64:
		return d.integer(v)
	default:
		return fmt.Errorf("awsJson1.1: no way to read a %s", v.Type())
	}
}

func (d *jsonReader) members(v reflect.Value, shape jsonShape) error {
	return d.object(func(key []byte) error {
		m, ok := shape[string(key)]
		if !ok {
			return d.skip()
		}
		if d.literal("null") { // the same as absent
			return nil
		}
		return d.value(v.Field(m.field), m.schema)
	})
}

func (d *jsonReader) list(v reflect.Value, schema *smithy.Schema) error {
	element := schema.ListMember()
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return d.array(func() error {
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		last := v.Index(v.Len() - 1)
		last.SetZero()
		return d.value(last, element)
	})
}

func (d *jsonReader) entries(v reflect.Value, schema *smithy.Schema) error {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	return d.object(func(key []byte) error {
		name := reflect.New(t.Key()).Elem()
		name.SetString(string(key))
		value := reflect.New(t.Elem()).Elem()
		if err := d.value(value, schema.MapValue()); err != nil {
			return err
		}
		v.SetMapIndex(name, value)
		return nil
	})
}

func (d *jsonReader) blob(v reflect.Value) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	blob := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(blob, text)
	if err != nil {
		return d.fail("the value is not base64")
	}
	v.SetBytes(blob[:n])
	return nil
}

func (d *jsonReader) bool(v reflect.Value) error {
	yes := d.literal("true")
	if !yes && !d.literal("false") {
		return d.fail("true or false is expected here")
	}
	v.SetBool(yes)
	return nil
}

func (d *jsonReader) integer(v reflect.Value) error {
	text, err := d.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(text), 10, v.Type().Bits())
	if err != nil {
		return d.fail("the number is not an integer of the member's range")
	}
	v.SetInt(n)
	return nil
}

// time reads epoch seconds, the format of awsJson1.1, to the millisecond.
func (d *jsonReader) time(v reflect.Value) error {
	text, err := d.number()
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(seconds) > maxEpoch {
		return d.fail("the number is not a time")
	}
	v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()))
	return nil
}

// maxEpoch is the end of the year 9999.
const maxEpoch = 253402300799
