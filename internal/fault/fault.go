// Package fault is how a domain says no to a caller.
//
// A [Fault] is an error that belongs to the caller: it has a [Code], spelled as
// the AWS service spells it on the wire, and a sentence with the facts. Every
// other error is ours: a front door answers it with 500, hides its text and logs
// it once. Faults are made in the domains (faults.go of each) and rendered in one
// file per front door; this package knows neither protocols nor services.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal a code is. Front doors derive the HTTP status
// from it.
type Kind uint8

// The kinds.
const (
	Invalid         Kind = iota + 1 // the request is malformed or breaks a rule: 400
	Unauthenticated                 // who is asking is unknown or unproven: 403 (400 in JSON protocols)
	Denied                          // policy says no: 403 (400 in JSON protocols)
	NotFound                        // what is named does not exist: 404 (400 in JSON protocols)
	Conflict                        // the state does not permit it: 409 (400 in JSON protocols)
	Limit                           // a quota would be exceeded: 409 (400 in JSON protocols)
	TooLarge                        // the request is larger than accepted: 413
	Throttled                       // too much at once: 400 with a throttling code
	Unsupported                     // a published operation this host does not have: 501
	Unavailable                     // a part of the host is not ready: 503
	Internal                        // our own failure: 500
)

// Code is an error code with its kind.
type Code struct {
	// Name is the code as it stands on the wire, for example
	// "BranchDoesNotExistException" (CodeCommit) or "NoSuchEntity" (IAM).
	Name string
	Kind Kind
}

// New returns a fault with this code and a formatted message.
func (c Code) New(format string, args ...any) *Fault {
	return &Fault{Code: c, Message: fmt.Sprintf(format, args...)}
}

// Wrap is [Code.New] for a fault with a cause that callers can reach with
// errors.As. The cause's text is never shown to the caller of the API.
func (c Code) Wrap(cause error, format string, args ...any) *Fault {
	return &Fault{Code: c, Message: fmt.Sprintf(format, args...), cause: cause}
}

// Fault is a refusal for the caller.
type Fault struct {
	Code    Code
	Message string // one or more sentences, safe to show
	cause   error
}

// Error returns the code and the message.
func (f *Fault) Error() string { return f.Code.Name + ": " + f.Message }

// Unwrap returns the cause given to [Code.Wrap], or nil.
func (f *Fault) Unwrap() error { return f.cause }

// Is reports whether target is a fault with the same code, so that tests and
// callers can write errors.Is(err, someCode.New("")).
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

// Has reports whether err is, or wraps, a fault with the given code.
func Has(err error, c Code) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Code == c
}
