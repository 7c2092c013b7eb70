package wire

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

// FetchRequest is one whole request of a fetch as upload-pack answers it without a memory
// of earlier ones: version 2's command "fetch" (gitprotocol-v2(5)), or what versions 0 and
// 1 send over HTTP (gitprotocol-http(5)). Who the client says it is is left out.
type FetchRequest struct {
	Version int
	Wants   []oid.ID
	Haves   []oid.ID
	Shallow []oid.ID // the client's boundary
	Deepens []string // "deepen 1", "deepen-since 1700000000", "deepen-not refs/heads/x"
	Filter  string   // empty: none

	// Options are the words of version 2 ("thin-pack"), or the capabilities of versions 0
	// and 1 that change an answer: sorted, each once.
	Options []string
	Done    bool
}

// Has reports whether the request has an option.
func (q *FetchRequest) Has(option string) bool {
	_, ok := slices.BinarySearch(q.Options, option)
	return ok
}

// DecodeFetchRequest reads a request. [ErrSyntax] is wrapped by the error for one that the
// protocol does not have, and for any command but "fetch".
func DecodeFetchRequest(r *pktline.Reader, version int) (*FetchRequest, error) {
	q := &FetchRequest{Version: version}
	if version == 2 {
		h, err := DecodeRequestHeader(r)
		if err != nil {
			return nil, err
		}
		if h.Command != "fetch" || !h.Arguments {
			return nil, syntax("not a fetch: command %.40q", h.Command)
		}
	}
	for told := false; ; {
		k, p, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case k == pktline.Flush && (version == 2 || told):
			q.sort()
			return q, nil
		case k == pktline.Flush:
			told = true
			continue
		case k != pktline.Data:
			return nil, syntax("%s in a fetch request", k)
		}
		l, err := ParseFetchLine(p)
		if err != nil {
			return nil, err
		}
		if version != 2 && told != l.negotiates() {
			return nil, syntax("a fetch line out of order: %.100q", p)
		}
		if err := q.add(l, strings.TrimSuffix(string(p), "\n")); err != nil {
			return nil, err
		}
		if q.Done && version != 2 {
			q.sort()
			return q, nil
		}
	}
}

// add takes one line in.
func (q *FetchRequest) add(l FetchLine, line string) error {
	_, rest, _ := strings.Cut(line, " ")
	switch l.Word {
	case "want":
		_, caps, _ := strings.Cut(rest, " ")
		if caps != "" && (q.Version == 2 || len(q.Wants) > 0) {
			return syntax("capabilities behind another line than the first: %.100q", line)
		}
		for _, c := range ParseCapabilities(caps) {
			if name, _, _ := strings.Cut(c, "="); name != "agent" && name != "session-id" && name != "object-format" {
				q.Options = append(q.Options, c)
			}
		}
		q.Wants = append(q.Wants, l.OID)
	case "have":
		q.Haves = append(q.Haves, l.OID)
	case "shallow":
		q.Shallow = append(q.Shallow, l.OID)
	case "deepen", "deepen-since", "deepen-not":
		q.Deepens = append(q.Deepens, line)
	case "filter":
		if q.Filter != "" {
			return syntax("two filters in a fetch request")
		}
		q.Filter = rest
	case "done":
		q.Done = true
	default:
		q.Options = append(q.Options, line)
	}
	return nil
}

// sort brings what is a set into one order.
func (q *FetchRequest) sort() {
	slices.Sort(q.Options)
	q.Options = slices.Compact(q.Options)
	for _, ids := range []*[]oid.ID{&q.Wants, &q.Shallow} {
		slices.SortFunc(*ids, func(a, b oid.ID) int { return bytes.Compare(a[:], b[:]) })
		*ids = slices.Compact(*ids)
	}
}

// Append appends the request, as a client sends it, to b.
func (q *FetchRequest) Append(b []byte) []byte {
	if q.Version == 2 {
		b = (&RequestHeader{Command: "fetch", Arguments: true}).Append(b)
		for _, o := range q.Options {
			b = pktline.Append(b, o+"\n")
		}
	}
	for i, id := range q.Wants {
		line := "want " + id.String()
		if i == 0 && q.Version != 2 && len(q.Options) > 0 {
			line += " " + strings.Join(q.Options, " ")
		}
		b = pktline.Append(b, line+"\n")
	}
	for _, id := range q.Shallow {
		b = pktline.Append(b, "shallow "+id.String()+"\n")
	}
	for _, line := range q.Deepens {
		b = pktline.Append(b, line+"\n")
	}
	if q.Filter != "" {
		b = pktline.Append(b, "filter "+q.Filter+"\n")
	}
	if q.Version != 2 {
		b = pktline.AppendFlush(b)
	}
	for _, id := range q.Haves {
		b = pktline.Append(b, "have "+id.String()+"\n")
	}
	if q.Done {
		b = pktline.Append(b, "done\n")
		if q.Version != 2 {
			return b
		}
	}
	return pktline.AppendFlush(b)
}
