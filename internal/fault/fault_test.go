package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/refward/refward/internal/fault"
)

var (
	missing = fault.Code{Name: "BranchDoesNotExistException", Kind: fault.NotFound}
	taken   = fault.Code{Name: "BranchNameExistsException", Kind: fault.Conflict}
)

func TestNew(t *testing.T) {
	f := missing.New("%s has no branch %q", "payments", "100%")
	if f.Code != missing || f.Message != `payments has no branch "100%"` {
		t.Errorf("got %+v", f)
	}
	if got, want := f.Error(), `BranchDoesNotExistException: payments has no branch "100%"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f.Unwrap() != nil {
		t.Errorf("a fault without a cause unwraps to %v", f.Unwrap())
	}
}

func TestWrap(t *testing.T) {
	cause := fmt.Errorf("read /srv/secret: %w", io.ErrUnexpectedEOF)
	f := fault.ServiceUnavailable.Wrap(cause, "Try again in %d seconds.", 5)
	if got, want := f.Error(), "ServiceUnavailable: Try again in 5 seconds."; got != want {
		t.Errorf("got %q, want %q: a cause is not for the caller", got, want)
	}
	if !errors.Is(f, cause) || !errors.Is(f, io.ErrUnexpectedEOF) {
		t.Error("the cause cannot be reached")
	}
	if errors.Is(f, io.EOF) {
		t.Error("another error counts as the cause")
	}
}

func TestIs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"the same code, another message", missing.New("a"), missing.New("b"), true},
		{"the same code with a cause", missing.Wrap(io.EOF, "a"), missing.New(""), true},
		{"wrapped by ours", fmt.Errorf("run: %w", missing.New("a")), missing.New(""), true},
		{"joined", errors.Join(io.EOF, missing.New("a")), missing.New(""), true},
		{"a fault as the cause of a fault", taken.Wrap(missing.New("a"), "b"), missing.New(""), true},
		{"another code", missing.New("a"), taken.New("a"), false},
		{"the same name of another kind", missing.New("a"), fault.Code{Name: missing.Name, Kind: fault.Invalid}.New("a"), false},
		{"not a fault as the target", missing.New("a"), io.EOF, false},
		{"not a fault", io.EOF, missing.New(""), false},
		{"no error", nil, missing.New(""), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := errors.Is(tc.err, tc.target); got != tc.want {
				t.Errorf("errors.Is(%v, %v) is %v", tc.err, tc.target, got)
			}
		})
	}
}

func TestHas(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"the fault", missing.New("a"), true},
		{"wrapped", fmt.Errorf("run: %w", fmt.Errorf("read: %w", missing.New("a"))), true},
		{"joined", errors.Join(io.EOF, missing.New("a")), true},
		{"another code", taken.New("a"), false},
		// The caller is answered with the outer code; Has tells what will be answered.
		{"as the cause of another", taken.Wrap(missing.New("a"), "b"), false},
		{"not a fault", context.Canceled, false},
		{"no error", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := fault.Has(tc.err, missing); got != tc.want {
				t.Errorf("got %v for %v", got, tc.err)
			}
		})
	}
}

// TestCommonCodes holds the codes that every service shares: each has its own name, and
// the kind that a front door answers it by.
func TestCommonCodes(t *testing.T) {
	kinds := map[fault.Kind][]fault.Code{
		fault.Invalid: {fault.InvalidAction, fault.MalformedInput, fault.ValidationError, fault.RequestTimeout},
		fault.Unauthenticated: {
			fault.MissingAuthenticationToken, fault.IncompleteSignature, fault.SignatureDoesNotMatch, fault.InvalidClientTokenID, fault.ExpiredToken,
		},
		fault.Denied:      {fault.AccessDenied},
		fault.TooLarge:    {fault.RequestTooLarge},
		fault.Throttled:   {fault.Throttling},
		fault.Unsupported: {fault.NotImplemented},
		fault.Unavailable: {fault.ServiceUnavailable},
		fault.Internal:    {fault.InternalFailure},
	}
	seen := map[string]bool{}
	for kind, codes := range kinds {
		if kind == 0 {
			t.Error("a kind is the zero value, which a code without one has")
		}
		for _, c := range codes {
			if c.Kind != kind {
				t.Errorf("%s is of kind %d, want %d", c.Name, c.Kind, kind)
			}
			if c.Name == "" || seen[c.Name] {
				t.Errorf("the name %q is empty or used twice", c.Name)
			}
			seen[c.Name] = true
		}
	}
}
