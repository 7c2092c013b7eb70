package awsapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"testing"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

const requestID = "0b6e4d9c-2f0e-4f6b-9d3a-6a8d6f2f7a11"

// operation is an op.Any whose input and output are any struct of the SDK. It asks for
// no permission: these tests are of the wire.
type operation struct {
	spec    op.Spec
	in, out reflect.Type
	run     func(ctx context.Context, c authz.Caller, in any) (any, error)
}

func (o *operation) Row() op.Spec   { return o.spec }
func (o *operation) NewInput() any  { return reflect.New(o.in).Interface() }
func (o *operation) NewOutput() any { return reflect.New(o.out).Interface() }
func (o *operation) InvokeAny(ctx context.Context, _ *authz.Authorizer, c authz.Caller, in any) (any, error) {
	return o.run(ctx, c, in)
}

// does returns an operation of the given types.
func does[In, Out any](service, name string, run func(ctx context.Context, c authz.Caller, in *In) (*Out, error)) op.Any {
	return &operation{
		spec: op.Spec{Service: service, Name: name},
		in:   reflect.TypeFor[In](),
		out:  reflect.TypeFor[Out](),
		run: func(ctx context.Context, c authz.Caller, in any) (any, error) {
			out, err := run(ctx, c, in.(*In))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// newHandler returns a handler of the operations, whose log goes to the test.
func newHandler(tb testing.TB, operations ...op.Any) *Handler {
	table, err := op.NewTable(operations)
	if err != nil {
		tb.Fatal(err)
	}
	return &Handler{
		Table: table,
		Log:   slog.New(slog.NewTextHandler(tb.Output(), nil)),
		Caller: func(_ *http.Request, id authn.Identity) authz.Caller {
			return authz.Caller{Principal: id.Principal, Credential: id.Credential, RequestID: requestID}
		},
	}
}

// verified is the handler as it is behind the signature: every request counts as
// signed for the service.
func (h *Handler) verified(service string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &exchange{protocol: protocolOf(r), requestID: requestID, service: serviceNamed(service)}
		body, release, err := h.bodies.readBody(w, r, e.protocol.limit(), "a")
		defer release()
		if err == nil {
			body, err = h.perform(r, authz.Caller{RequestID: requestID}, e, body)
		}
		h.reply(w, r, e, body, err)
	})
}

// filler fills values of the SDK's types, each scalar with another value.
type filler struct {
	n     int64
	milli bool // times to the millisecond, as awsJson1.1 has them; whole seconds otherwise
}

// maxFill bounds types that contain themselves.
const maxFill = 12

func (f *filler) fill(tb testing.TB, v reflect.Value, depth int) {
	if depth == maxFill {
		return
	}
	f.n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(tb, v.Elem(), depth+1)
	case reflect.Struct:
		f.fillStruct(tb, v, depth)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{0, 0xff, byte(f.n), '<', 0x80})
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(tb, v.Index(0), depth+1)
		f.fill(tb, v.Index(1), depth+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(tb, key, depth+1)
			f.fill(tb, value, depth+1)
			v.SetMapIndex(key, value)
		}
	case reflect.Interface:
		members, ok := unions[v.Type()]
		if !ok {
			tb.Fatalf("the union %s is not known to the codec", v.Type())
		}
		member := reflect.New(members[f.n%int64(len(members))].typ)
		f.fill(tb, member.Elem().FieldByName("Value"), depth+1)
		v.Set(member)
	case reflect.String:
		v.SetString(fmt.Sprintf("%d é \U0001F511 <b> & \"q\" 'p' \\ +%%/=;\n\t.", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1000 + f.n)
	default:
		tb.Fatalf("the SDK has a %s, which the test does not know", v.Type())
	}
}

func (f *filler) fillStruct(tb testing.TB, v reflect.Value, depth int) {
	if v.Type() == timeType {
		ms := 1_700_000_000_000 + f.n*1000
		if f.milli {
			ms += 123
		}
		v.Set(reflect.ValueOf(millis(ms)))
		return
	}
	for sf := range v.Type().Fields() {
		if sf.IsExported() && sf.Type != metadataType {
			f.fill(tb, v.FieldByIndex(sf.Index), depth+1)
		}
	}
}
