package lfs

import (
	"errors"
	"fmt"
)

// Operation is what a batch is for.
type Operation string

// The operations.
const (
	Download Operation = "download"
	Upload   Operation = "upload"
)

// Limits of a batch. Clients ask for 100 objects at a time if they are not told otherwise.
const (
	MaxBatchBytes   = 1 << 20
	MaxBatchObjects = 1000
	maxRefBytes     = 4 << 10 // of a name, before anybody looks at it
)

// Errors of DecodeBatch beside [ErrSyntax].
var (
	ErrTooManyObjects = fmt.Errorf("more than %d objects in one batch", MaxBatchObjects)
	ErrHashAlgorithm  = errors.New("the hash algorithm is not supported: objects here are named by sha256")
)

// Batch is a request to transfer objects. The adapters that the client offers are not
// kept: every client has the basic one.
type Batch struct {
	Operation Operation
	Ref       *string // the full name of the ref that the objects belong to, unchecked; nil: not said
	Objects   []BatchObject
}

// BatchObject is one object of a batch. Objects that cannot exist are answered one by
// one, so that the others of the batch go on.
type BatchObject struct {
	Object
	Given string // the object ID as it was given, to be answered with
	Wrong string // why there can be no such object; empty where there can
}

// refOf is the member "ref", which may be missing or null.
type refOf struct {
	Name *string `json:"name"`
}

func (r *refOf) name() (*string, error) {
	switch {
	case r == nil:
		return nil, nil
	case r.Name == nil || *r.Name == "":
		return nil, fmt.Errorf("%w: ref has no name", ErrSyntax)
	case len(*r.Name) > maxRefBytes:
		return nil, fmt.Errorf("%w: the name of ref is longer than %d bytes", ErrSyntax, maxRefBytes)
	}
	return r.Name, nil
}

// DecodeBatch reads a batch request.
func DecodeBatch(data []byte) (*Batch, error) {
	var in struct {
		Operation Operation `json:"operation"`
		Ref       *refOf    `json:"ref"`
		HashAlgo  string    `json:"hash_algo"`
		Objects   []struct {
			OID  string `json:"oid"`
			Size *int64 `json:"size"`
		} `json:"objects"`
		Transfers []string `json:"transfers"`
	}
	if err := decode(data, &in); err != nil {
		return nil, err
	}
	ref, err := in.Ref.name()
	switch {
	case in.Operation != Download && in.Operation != Upload:
		return nil, fmt.Errorf("%w: operation is neither download nor upload", ErrSyntax)
	case in.HashAlgo != "" && in.HashAlgo != HashAlgorithm:
		return nil, ErrHashAlgorithm
	case len(in.Objects) > MaxBatchObjects:
		return nil, ErrTooManyObjects
	case err != nil:
		return nil, err
	}
	b := &Batch{Operation: in.Operation, Ref: ref, Objects: make([]BatchObject, len(in.Objects))}
	for i, o := range in.Objects {
		b.Objects[i] = batchObject(o.OID, o.Size)
	}
	return b, nil
}

func batchObject(given string, size *int64) BatchObject {
	o := BatchObject{Given: given}
	id, err := ParseOID(given)
	switch {
	case err != nil:
		o.Wrong = err.Error()
	case size == nil:
		o.Wrong = "the size is missing"
	case *size < 0:
		o.Size, o.Wrong = *size, "the size is negative"
	default:
		o.Object = Object{id, *size}
	}
	return o
}

// BatchAnswer is what a batch is answered with for one object.
type BatchAnswer struct {
	OID           string            `json:"oid"`
	Size          int64             `json:"size"`
	Authenticated bool              `json:"authenticated,omitempty"` // the actions carry what proves the caller
	Actions       map[string]Action `json:"actions,omitempty"`       // "download", or "upload" and "verify"
	Error         *ObjectError      `json:"error,omitempty"`
}

// Action is one request that a client may make.
type Action struct {
	Href      string            `json:"href"`
	Header    map[string]string `json:"header,omitempty"`
	ExpiresIn int64             `json:"expires_in,omitempty"` // seconds
}

// ObjectError says why there is no action. Codes are those of HTTP.
type ObjectError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// DecodeVerification reads what a client sends after an upload.
func DecodeVerification(data []byte) (Object, error) {
	var in struct {
		OID  string `json:"oid"`
		Size *int64 `json:"size"`
	}
	if err := decode(data, &in); err != nil {
		return Object{}, err
	}
	o := batchObject(in.OID, in.Size)
	if o.Wrong != "" {
		return Object{}, fmt.Errorf("%w: %s", ErrSyntax, o.Wrong)
	}
	return o.Object, nil
}
