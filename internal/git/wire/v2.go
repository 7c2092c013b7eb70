package wire

import (
	"errors"
	"io"
	"strings"

	"github.com/refward/refward/internal/git/pktline"
)

// EncodeV2Capabilities writes the capability advertisement of protocol version 2.
func EncodeV2Capabilities(dst io.Writer, caps Capabilities) error {
	buf := pktline.Append(nil, "version 2\n")
	for _, c := range caps {
		buf = pktline.Append(buf, c+"\n")
	}
	_, err := dst.Write(pktline.AppendFlush(buf))
	return err
}

// DecodeV2Capabilities reads a capability advertisement, as a client does.
func DecodeV2Capabilities(r *pktline.Reader) (Capabilities, error) {
	lines, end, err := lines(r, 1<<16)
	if err != nil {
		return nil, err
	}
	if end != pktline.Flush || len(lines) == 0 || lines[0] != "version 2" {
		return nil, syntax("not an advertisement of version 2")
	}
	return lines[1:], nil
}

// RequestHeader is the beginning of a request of protocol version 2: the command and
// the client's capabilities. The command's own arguments follow it.
type RequestHeader struct {
	Command      string
	Capabilities Capabilities

	// Arguments tells that a delimiter packet ended the header, so that arguments
	// follow, up to a flush packet; without them the header ended the request.
	Arguments bool
}

// maxRequestHeader bounds the bytes of a request header. Server options are the only
// long capability.
const maxRequestHeader = 64 << 10

// DecodeRequestHeader reads a request header. It answers [io.EOF] where there is none:
// nothing at all, or only a flush packet, by which a client probes a server or takes
// its leave.
func DecodeRequestHeader(r *pktline.Reader) (*RequestHeader, error) {
	list, end, err := lines(r, maxRequestHeader)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0 && end == pktline.Flush:
		return nil, io.EOF
	}
	h := &RequestHeader{Arguments: end == pktline.Delim}
	for _, line := range list {
		command, ok := strings.CutPrefix(line, "command=")
		switch {
		case !ok:
			h.Capabilities = append(h.Capabilities, line)
		case h.Command != "":
			return nil, syntax("a request with two commands")
		default:
			h.Command = command
		}
	}
	if h.Command == "" {
		return nil, syntax("a request without a command")
	}
	return h, nil
}

// Append appends the header, as it is sent, to b.
func (h *RequestHeader) Append(b []byte) []byte {
	b = pktline.Append(b, "command="+h.Command+"\n")
	for _, c := range h.Capabilities {
		b = pktline.Append(b, c+"\n")
	}
	if h.Arguments {
		return pktline.AppendDelim(b)
	}
	return pktline.AppendFlush(b)
}

// lines reads data packets, of at most limit bytes together, up to a packet of another
// kind, which it returns. io.EOF means that there was no packet at all.
func lines(r *pktline.Reader, limit int) (list []string, end pktline.Kind, err error) {
	for total := 0; ; {
		k, p, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF) && len(list) > 0:
			return nil, 0, io.ErrUnexpectedEOF
		case err != nil:
			return nil, 0, err
		case k == pktline.ResponseEnd:
			return nil, 0, syntax("%s in a request", k)
		case k != pktline.Data:
			return list, k, nil
		}
		// An empty line costs memory too.
		if total += len(p) + 16; total > limit {
			return nil, 0, tooMuch("the header has more than %d bytes", limit)
		}
		list = append(list, string(p))
	}
}
