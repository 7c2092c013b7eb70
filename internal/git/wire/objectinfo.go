package wire

import (
	"errors"
	"io"
	"strings"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
)

// ObjectInfo is the arguments of version 2's object-info command (gitprotocol-v2(5)): a
// client asks what objects are like without fetching them.
type ObjectInfo struct {
	Size bool // tell the size in bytes
	IDs  []oid.ID
}

// maxObjectInfo bounds the objects that one request asks about, and so what one look-up
// each may cost.
const maxObjectInfo = 10_000

// DecodeObjectInfo reads the arguments of object-info up to their flush packet.
func DecodeObjectInfo(r *pktline.Reader) (*ObjectInfo, error) {
	var q ObjectInfo
	for {
		k, p, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case k == pktline.Flush:
			return &q, nil
		case k != pktline.Data:
			return nil, syntax("%s in the arguments of object-info", k)
		}
		text := string(p)
		if text == "size" {
			q.Size = true
			continue
		}
		hex, ok := strings.CutPrefix(text, "oid ")
		if !ok {
			return nil, syntax("object-info has no argument %.100q", text)
		}
		id, err := oid.Parse(hex)
		if err != nil {
			return nil, syntax("object-info of %.100q, which is no object ID", hex)
		}
		if len(q.IDs) == maxObjectInfo {
			return nil, tooMuch("object-info of more than %d objects", maxObjectInfo)
		}
		q.IDs = append(q.IDs, id)
	}
}

// AppendObjectInfo appends one line of the answer to b; the first is that of the names of
// what is told. Like git's, it has no line end.
func AppendObjectInfo(b []byte, fields ...string) []byte {
	return pktline.Append(b, strings.Join(fields, " "))
}
