package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
)

// Command is one command of a push. Old zero: create; New zero: delete. Ref is the
// client's text, unchecked.
type Command struct {
	Old, New oid.ID
	Ref      refname.Name
}

// Push is what a client sends to receive-pack before the pack.
type Push struct {
	Commands     []Command
	Capabilities Capabilities
	Shallow      []oid.ID // the client's shallow boundary
	Options      []string // push options, when the capability was chosen
	HasPack      bool     // not every command deletes, so that a pack follows
}

// PushLimits bound what [DecodePush] holds.
type PushLimits struct {
	Commands    int // commands in one push
	Shallow     int // shallow lines
	Bytes       int // of all packets before the pack, together
	Options     int // push options
	OptionBytes int // of one push option
}

// Errors of DecodePush for requests that are well-formed but refused.
var (
	// ErrPushCert answers a signed push.
	ErrPushCert = fmt.Errorf("%w: signed pushes are not supported", ErrSyntax)
	// ErrTooManyCommands answers a push over PushLimits.Commands, with CodeCommit's text.
	ErrTooManyCommands = fmt.Errorf("%w: Too many reference update commands", ErrTooMuch)
)

// DecodePush reads the command list, and the push options where they were announced.
// It leaves the pack unread. A list without commands is a probe, and no error. With
// an error comes what was read so far, for its capabilities; a list with too many
// commands is read to its end.
func DecodePush(r *pktline.Reader, l PushLimits) (*Push, error) {
	p := &Push{}
	left, first, tooMany := l.Bytes, true, false
	for {
		k, line, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF) && first:
			return p, nil
		case errors.Is(err, io.EOF):
			return p, io.ErrUnexpectedEOF
		case err != nil:
			return p, err
		case k == pktline.Flush && tooMany:
			return p, errors.Join(ErrTooManyCommands, p.options(r, l, left))
		case k == pktline.Flush:
			return p, p.options(r, l, left)
		case k != pktline.Data:
			return p, syntax("%s in a command list", k)
		}
		if left -= len(line); left < 0 {
			return p, tooMuch("the command list has more than %d bytes", l.Bytes)
		}
		switch err := p.add(line, first, l); {
		case errors.Is(err, ErrTooManyCommands):
			tooMany = true
		case err != nil:
			return p, err
		}
		first = false
	}
}

// add takes in one line before the flush packet.
func (p *Push) add(line []byte, first bool, l PushLimits) error {
	if text, caps, ok := bytes.Cut(line, []byte{0}); ok && len(p.Commands) == 0 && p.Capabilities == nil {
		line, p.Capabilities = text, ParseCapabilities(string(caps))
	}
	if bytes.Equal(line, []byte("push-cert")) && first {
		return ErrPushCert
	}
	if hex, ok := bytes.CutPrefix(line, []byte("shallow ")); ok {
		id, err := oid.Parse(hex)
		switch {
		case err != nil:
			return syntax("shallow line %.100q", line)
		case len(p.Shallow) == l.Shallow:
			return tooMuch("more than %d shallow lines", l.Shallow)
		}
		p.Shallow = append(p.Shallow, id)
		return nil
	}
	c, err := parseCommand(line)
	if err != nil {
		return err
	}
	p.HasPack = p.HasPack || !c.New.IsZero()
	if len(p.Commands) == l.Commands {
		return ErrTooManyCommands
	}
	p.Commands = append(p.Commands, c)
	return nil
}

// parseCommand reads "OLD NEW REF".
func parseCommand(line []byte) (Command, error) {
	const refAt = 2 * (oid.HexLen + 1)
	if len(line) <= refAt || line[oid.HexLen] != ' ' || line[refAt-1] != ' ' {
		return Command{}, syntax("command %.100q", line)
	}
	old, err := oid.Parse(line[:oid.HexLen])
	if err != nil {
		return Command{}, syntax("command %.100q: %v", line, err)
	}
	next, err := oid.Parse(line[oid.HexLen+1 : refAt-1])
	if err != nil {
		return Command{}, syntax("command %.100q: %v", line, err)
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return Command{}, syntax("command %.100q has a NUL byte", line)
	}
	return Command{Old: old, New: next, Ref: refname.Name(line[refAt:])}, nil
}

// options reads the push options, if the client chose to send them.
func (p *Push) options(r *pktline.Reader, l PushLimits, left int) error {
	if len(p.Commands) == 0 || !p.Capabilities.Has("push-options") {
		return nil
	}
	for {
		k, line, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case k == pktline.Flush:
			return nil
		case k != pktline.Data:
			return syntax("%s in the push options", k)
		}
		left -= len(line)
		if len(p.Options) == l.Options || len(line) > l.OptionBytes || left < 0 {
			return tooMuch("more than %d push options, or one of more than %d bytes", l.Options, l.OptionBytes)
		}
		if strings.ContainsAny(string(line), "\x00\n") {
			return syntax("push option with a NUL byte or a newline")
		}
		p.Options = append(p.Options, string(line))
	}
}

// Append appends the push, as a client sends it, to b.
func (p *Push) Append(b []byte) []byte {
	for _, id := range p.Shallow {
		b = pktline.Append(b, "shallow "+id.String())
	}
	for i, c := range p.Commands {
		line := c.Old.String() + " " + c.New.String() + " " + string(c.Ref)
		if i == 0 {
			line += "\x00" + p.Capabilities.String()
		}
		b = pktline.Append(b, line)
	}
	b = pktline.AppendFlush(b)
	if len(p.Commands) > 0 && p.Capabilities.Has("push-options") {
		for _, o := range p.Options {
			b = pktline.Append(b, o)
		}
		b = pktline.AppendFlush(b)
	}
	return b
}
