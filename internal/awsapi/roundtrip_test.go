package awsapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// clientOf returns the SDK's client of a service, speaking to url.
func clientOf(service, url string) any {
	cfg := aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		BaseEndpoint: &url,
		HTTPClient:   &http.Client{Timeout: 30 * time.Second, Transport: wholeBody{}},
	}
	switch service {
	case "codecommit":
		return codecommit.NewFromConfig(cfg)
	case "iam":
		return iam.NewFromConfig(cfg)
	default:
		return sts.NewFromConfig(cfg)
	}
}

// wholeBody sends requests from memory. The SDK closes a request's body as soon as it has
// the answer's head; where the answer is faster than the end of the sending, net/http
// takes that for a failure and cuts the connection in the middle of the answer.
type wholeBody struct{}

func (wholeBody) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// sameShape compares structs of the SDK by their members.
var sameShape = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && (f.Name() == "ResultMetadata" || f.Name() == "noSmithyDocumentSerde")
	}, cmp.Ignore()),
}

// TestEveryOperation sends every operation that AWS publishes, with every member
// filled, from the SDK's client over HTTP to the codecs and back.
func TestEveryOperation(t *testing.T) {
	for _, s := range services {
		t.Run(s.name, func(t *testing.T) {
			if len(Known(s.name)) < 11 {
				t.Fatalf("only %d operations are known", len(Known(s.name)))
			}
			echo := newEcho(t, s)
			server := httptest.NewServer(echo.handler.verified(s.name))
			defer server.Close()
			client := reflect.ValueOf(clientOf(s.name, server.URL))
			for _, name := range Known(s.name) {
				t.Run(name, func(t *testing.T) { echo.exchange(t, client.MethodByName(name)) })
			}
		})
	}
}

// echo answers any operation of a service with the output it is given, and keeps the
// input.
type echo struct {
	handler *Handler
	milli   bool
	in, out any
}

func newEcho(t *testing.T, s *service) *echo {
	e := &echo{milli: s.protocol == awsJSON}
	var all []op.Any
	for _, name := range Known(s.name) {
		m, _ := s.client.MethodByName(name)
		all = append(all, &operation{
			spec: op.Spec{Service: s.name, Name: name},
			in:   m.Type.In(2).Elem(),
			out:  m.Type.Out(0).Elem(),
			run: func(_ context.Context, _ authz.Caller, in any) (any, error) {
				e.in = in
				return e.out, nil
			},
		})
	}
	e.handler = newHandler(t, all...)
	return e
}

// exchange calls a client's method with a full output, and with an empty one.
func (e *echo) exchange(t *testing.T, method reflect.Value) {
	in, out := reflect.New(method.Type().In(1).Elem()), reflect.New(method.Type().Out(0).Elem())
	f := &filler{milli: e.milli}
	f.fill(t, in.Elem(), 0)
	for _, full := range []bool{true, false} {
		if full {
			f.fill(t, out.Elem(), 0)
		} else {
			out.Elem().SetZero()
		}
		e.in, e.out = nil, out.Interface()
		results := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
		if err, _ := results[1].Interface().(error); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in.Interface(), e.in, sameShape); diff != "" {
			t.Errorf("input, sent -, decoded +:\n%s", diff)
		}
		if diff := cmp.Diff(e.out, results[0].Interface(), sameShape); diff != "" {
			t.Errorf("output, answered -, received +:\n%s", diff)
		}
	}
}

// TestEmptyLists: a list that is empty is not the same as one that is absent.
func TestEmptyLists(t *testing.T) {
	var got []any
	h := newHandler(t,
		does("iam", "ListGroups", func(_ context.Context, _ authz.Caller, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
			got = append(got, in)
			return &iam.ListGroupsOutput{Groups: nil}, nil
		}),
		does("iam", "TagUser", func(_ context.Context, _ authz.Caller, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
			got = append(got, in)
			return &iam.TagUserOutput{}, nil
		}),
	)
	server := httptest.NewServer(h.verified("iam"))
	defer server.Close()
	client := clientOf("iam", server.URL).(*iam.Client)
	if _, err := client.ListGroups(t.Context(), &iam.ListGroupsInput{}); err != nil {
		t.Fatal(err)
	}
	want := &iam.TagUserInput{UserName: aws.String(""), Tags: []types.Tag{}}
	if _, err := client.TagUser(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{&iam.ListGroupsInput{}, want}, got, sameShape); diff != "" {
		t.Errorf("inputs, sent -, decoded +:\n%s", diff)
	}
}

// TestShapesAreComplete: the schema of an input names no member that the codec does
// not find in the SDK's struct. TestEveryOperation would not see a member that the
// SDK's own struct lacks.
func TestShapesAreComplete(t *testing.T) {
	for _, name := range Known("codecommit") {
		m, _ := reflect.TypeFor[*codecommit.Client]().MethodByName(name)
		in := reflect.New(m.Type.In(2).Elem())
		var c jsonCodec
		var w jsonWriter
		s := in.Interface().(smithy.Serializable)
		s.Serialize(&w)
		shape := c.shape(in.Type().Elem(), w.root)
		if len(shape) != len(w.root.Members()) {
			t.Errorf("%s: %d of %d members are known", name, len(shape), len(w.root.Members()))
		}
	}
}
