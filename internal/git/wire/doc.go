// Package wire holds the messages of Git's protocol, one per file, each with its
// decoder and its encoder: the ref advertisement of versions 0 and 1, version 2's
// capability advertisement, request header and ls-refs, the command list of a push,
// its report-status, and the side-band multiplex. The formats are those of
// gitprotocol-pack(5), gitprotocol-v2(5) and gitprotocol-capabilities(5).
//
// Decoders of what clients send take a limit for everything that a client can make
// long, and never hold more than that. The package holds no conversation: who says
// what when, and which message is refused, is package gitserver's. Packs, and the
// fetch command's arguments, are left to git itself.
package wire

import (
	"errors"
	"fmt"
)

// ErrSyntax is wrapped by the error for a message that is not as documented. Its
// text may be shown to the client.
var ErrSyntax = errors.New("malformed request of the Git protocol")

// ErrTooMuch is wrapped by the error for a message over a limit. Its text may be
// shown to the client.
var ErrTooMuch = errors.New("request over a limit of the Git protocol")

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

func tooMuch(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTooMuch, fmt.Sprintf(format, args...))
}
