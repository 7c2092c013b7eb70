package policycmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/refward/refward/policy"
)

const decideManual = `Usage: refward policy decide < REQUESTS > DECISIONS

Reads a JSON object from each line of standard input, and writes one for each, in
order: a decision with its reasons.

A request:
  "id"         any JSON value; it comes back in the answer
  "policies"   list of identity policies. A policy is a JSON object, or a string that
               holds one
  "boundary"   list of permissions boundaries
  "session"    list of session policies, or one
  "scps"       list of service control policies, of which one has to allow; or a list
               of such lists, one for each level, and each level has to allow
  "trust"      trust policy of the role that is to be assumed
  "principal"  who asks, for "trust": an ARN, an account, a unique ID, a service or an
               identity provider
  "account"    of the role, when "resource" does not say; of a unique ID, the principal's
  "action"     such as "codecommit:GitPush"
  "resource"   an ARN, or "*" for an action without a resource
  "context"    {"KEY": "VALUE", "KEY": ["VALUE", "VALUE"]}: the condition keys that the
               request carries; nothing is added to them

Only "action" and "resource" have to be there. What is null or an empty list is the
same as what is not there. An unknown member is refused: it could be a boundary that
is not spelled well.

An answer:
  "id"         of the request
  "decision"   "allow", "explicitDeny", "implicitDeny" or "invalid"
  "reasons"    of an allow or an explicit deny, the statements that decided: "layer"
               (identity, boundary, session, scp, trust), "policy" and "statement" (the
               first is 1), "sid", and of an scp its "level". Of an implicit deny the
               "layer" that did not allow and a "message" with what came nearest. Of an
               invalid request a "message" and where: "layer" and "policy" of a document
               that IAM refuses, with "detail", "line", "column" and "pointer" in it

A line that cannot be read is answered as invalid, and the next one is read; so is one
of more than 4 MiB. Answers are written at the latest when the next line is waited for.

Exit status: 0 every line was answered, whatever the answers, 2 reading or writing
failed or the command line was not understood.
`

const ioBuffer = 64 << 10

func runDecide(ctx context.Context, s Streams, args []string) (int, error) {
	rest, err := parseFlags(newFlags(), args)
	switch {
	case err != nil:
		return 0, err
	case len(rest) > 0:
		return 0, usagef("it takes no argument, and %q was given: requests come from standard input", rest[0])
	}
	return statusYes, decideLines(ctx, s.In, s.Out)
}

// decideLines answers every line.
func decideLines(ctx context.Context, from io.Reader, to io.Writer) error {
	in := lines{from: bufio.NewReaderSize(from, ioBuffer)}
	out := bufio.NewWriterSize(to, ioBuffer)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	d := decider{cache: newCache()}
	for ctx.Err() == nil {
		if in.waiting() {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, err := in.read()
		var a answer
		switch {
		case errors.Is(err, io.EOF):
			return out.Flush()
		case errors.Is(err, errLongLine):
			a = invalid(nil, reason{Message: err.Error()})
		case err != nil:
			return errors.Join(fmt.Errorf("read the requests: %w", err), out.Flush())
		default:
			a = d.answer(line)
		}
		if err := enc.Encode(&a); err != nil {
			return err
		}
	}
	return errors.Join(ctx.Err(), out.Flush())
}

// answer is one line of the output.
type answer struct {
	ID       json.RawMessage `json:"id"`
	Decision string          `json:"decision"`
	Reasons  []reason        `json:"reasons"`
}

func invalid(id []byte, why ...reason) answer {
	return answer{ID: id, Decision: "invalid", Reasons: why}
}

// decider answers lines, one after the other.
type decider struct {
	cache *cache
}

// answer decides the request in one line.
func (d *decider) answer(line []byte) answer {
	if err := checkJSON(line); err != nil {
		r := reason{Message: err.Error()}
		if bad, ok := errors.AsType[*badJSON](err); ok {
			r.Column = bad.at + 1
		}
		return invalid(nil, r)
	}
	r := request{cache: d.cache}
	if err := members(line, r.member); err != nil {
		return invalid(idOf(line), reason{Message: err.Error()})
	}
	if len(r.refused) > 0 {
		return invalid(r.id, r.refused...)
	}
	if err := r.check(); err != nil {
		return invalid(r.id, reason{Message: err.Error()})
	}
	decided := r.decide()
	return answer{ID: r.id, Decision: decided.outcome.String(), Reasons: r.reasons(&decided)}
}

// idOf finds the ID in a line that is not understood otherwise.
func idOf(line []byte) (id []byte) {
	_ = members(line, func(name string, value []byte) error {
		if name == "id" && id == nil {
			id = value
		}
		return nil
	})
	return id
}

// request is one line while it is read.
type request struct {
	question
	cache   *cache
	id      []byte
	seen    uint16   // the members that were there, by their bits
	refused []reason // the documents that IAM would refuse
}

// The members of a request, each with its bit.
var requestMembers = map[string]uint16{
	"id": 1 << 0, "policies": 1 << 1, "boundary": 1 << 2, "session": 1 << 3, "scps": 1 << 4, "trust": 1 << 5,
	"principal": 1 << 6, "account": 1 << 7, "action": 1 << 8, "resource": 1 << 9, "context": 1 << 10,
}

var errHalfPair = errors.New("a string holds half of a surrogate pair")

// member reads one member of the request.
func (r *request) member(name string, value []byte) error {
	bit, ok := requestMembers[name]
	switch {
	case !ok:
		return fmt.Errorf("a request has no member %q", name)
	case r.seen&bit != 0:
		return fmt.Errorf("%q is there twice", name)
	}
	r.seen |= bit
	if name == "id" {
		r.id = value
		return nil
	}
	if value[0] == 'n' { // null
		return nil
	}
	sit := &r.situation
	switch name {
	case "policies":
		return r.documents(&sit.Identity, value, place{layer: policy.IdentityLayer})
	case "boundary":
		return r.documents(&sit.Boundary, value, place{layer: policy.BoundaryLayer})
	case "session":
		return r.documents(&sit.Session, value, place{layer: policy.SessionLayer})
	case "scps":
		return r.levels(value)
	case "trust":
		r.trust = r.document(value, place{layer: policy.ResourceLayer, index: 1})
		return nil
	case "context":
		if value[0] != '{' {
			return errors.New(`"context" is not an object`)
		}
		return readContext(value, &r.request.Context)
	default:
		return r.text(name, value)
	}
}

// text reads a member that is a string.
func (r *request) text(name string, value []byte) error {
	text, ok := textOf(value)
	switch {
	case value[0] != '"':
		return fmt.Errorf("%q is not a string", name)
	case !ok:
		return errHalfPair
	}
	switch name {
	case "principal":
		r.principal = text
	case "account":
		r.account = text
	case "action":
		r.request.Action = text
	case "resource":
		r.request.Resource = text
	}
	return nil
}

// place is where in a request a document stands.
type place struct {
	layer        policy.Layer
	level, index int // 1-based
}

// kind is the kind of the documents of the layer.
func (p place) kind() policy.Kind {
	switch p.layer {
	case policy.BoundaryLayer:
		return policy.Boundary
	case policy.SessionLayer:
		return policy.Session
	case policy.ServiceControlLayer:
		return policy.ServiceControl
	case policy.ResourceLayer:
		return policy.Trust
	default:
		return policy.Identity
	}
}

// source names the policy in messages: "policy 2", "policy 1 of boundary".
func (p place) source() policy.Source {
	src := policy.Source{Name: strconv.Itoa(p.index)}
	if p.layer != policy.IdentityLayer {
		src.Owner = layerName(p.layer)
	}
	if p.level > 0 {
		src.Owner += " level " + strconv.Itoa(p.level)
	}
	return src
}

// documents reads a list of documents, or one.
func (r *request) documents(to *[]*policy.Policy, value []byte, at place) error {
	add := func(value []byte) error {
		at.index++
		if value[0] == '[' {
			return fmt.Errorf("%s: a policy is a JSON object, or a string that holds one", layerName(at.layer))
		}
		*to = append(*to, r.document(value, at))
		return nil
	}
	if value[0] == '[' {
		return items(value, add)
	}
	return add(value)
}

// levels reads service control policies: those of one level, or a list for each.
func (r *request) levels(value []byte) error {
	nested := value[0] == '[' && (&cursor{text: value, at: 1}).next() == '['
	at := place{layer: policy.ServiceControlLayer, level: 1}
	if !nested {
		var level []*policy.Policy
		err := r.documents(&level, value, at)
		if len(level) > 0 {
			r.situation.SCPs = [][]*policy.Policy{level}
		}
		return err
	}
	return items(value, func(value []byte) error {
		if value[0] != '[' {
			return errors.New(`"scps" is a list of policies or a list of lists, not both`)
		}
		var level []*policy.Policy
		err := r.documents(&level, value, at)
		r.situation.SCPs = append(r.situation.SCPs, level)
		at.level++
		return err
	})
}

// document compiles a document, or notes why IAM would refuse it.
func (r *request) document(value []byte, at place) *policy.Policy {
	p, err := r.cache.parse(at.kind(), value)
	if err == nil {
		return p.At(at.source())
	}
	why := reason{Layer: layerName(at.layer), Level: at.level, Policy: at.index, Message: err.Error()}
	if e, ok := errors.AsType[*policy.SyntaxError](err); ok {
		why.Message, why.Detail, why.Line, why.Column, why.Pointer = e.Message, e.Detail, e.Line, e.Column, e.Pointer
	}
	r.refused = append(r.refused, why)
	return nil
}
