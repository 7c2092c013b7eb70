package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/lfs"
)

// get sends an object, or the part of it that the client lacks.
func (x *lfsExchange) get(ctx context.Context) (err error) {
	in, err := x.scope.object()
	if err != nil {
		return err
	}
	part, err := x.part(in.Object)
	if err != nil {
		return err
	}
	in.From = part.from
	out, err := invoke(ctx, &x.desk, x.door.CodeCommit.GitLFSGetObject(), in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.sent(out.Content.Close())) }()
	h := x.w.Header()
	noCache(h)
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.FormatInt(part.size, 10))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Etag", etag(in.Object))
	status := http.StatusOK
	if part.partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.from, part.from+part.size-1, in.Object.Size))
	}
	x.w.WriteHeader(status)
	n, err := io.CopyBuffer(x.output(), io.LimitReader(out.Content, part.size), make([]byte, 256<<10))
	if err == nil && n < part.size {
		err = fmt.Errorf("object %s of Git LFS has %d bytes less than its row says", in.Object.OID, part.size-n)
	}
	return x.sent(err)
}

func etag(o lfs.Object) string { return `"` + o.OID.String() + `"` }

// lfsPart is the part of an object that is sent.
type lfsPart struct {
	from, size int64
	partial    bool
}

// part reads what part of the object is asked for (RFC 9110, section 14). What is asked
// in another way than by one range of bytes is answered with the whole.
func (x *lfsExchange) part(o lfs.Object) (lfsPart, error) {
	whole := lfsPart{size: o.Size}
	ranges := x.r.Header.Values("Range")
	if len(ranges) != 1 {
		return whole, nil
	}
	if cond := x.r.Header.Get("If-Range"); cond != "" && cond != etag(o) {
		return whole, nil
	}
	text, ok := strings.CutPrefix(ranges[0], "bytes=")
	first, last, dashed := strings.Cut(text, "-")
	if !ok || !dashed {
		return whole, nil
	}
	end := o.Size - 1
	var from int64
	if first == "" { // the last so many
		n, err := strconv.ParseUint(last, 10, 63)
		if err != nil {
			return whole, nil
		}
		from = max(0, o.Size-int64(n))
	} else {
		n, err := strconv.ParseUint(first, 10, 63)
		if err != nil {
			return whole, nil
		}
		from = int64(n)
		if last != "" {
			m, err := strconv.ParseUint(last, 10, 63)
			if err != nil || m < n {
				return whole, nil
			}
			end = min(end, int64(m))
		}
	}
	if from > end {
		x.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return lfsPart{}, errRange
	}
	return lfsPart{from, end - from + 1, true}, nil
}

// put takes an object in.
func (x *lfsExchange) put(ctx context.Context) error {
	in, err := x.scope.object()
	if err != nil {
		return err
	}
	switch encoding := x.r.Header.Get("Content-Encoding"); {
	case encoding != "" && encoding != "identity":
		return errLFSEncoding
	case x.r.ContentLength >= 0 && x.r.ContentLength != in.Object.Size:
		return errLFSLength
	}
	if x.body, err = x.exchange.body(in.Object.Size + 1); err != nil {
		return err
	}
	in.Content = x.body
	if _, err := invoke(ctx, &x.desk, x.door.CodeCommit.GitLFSPutObject(), in); err != nil {
		return err
	}
	x.startLFS(http.StatusOK)
	return nil
}

// verify says whether an object has arrived.
func (x *lfsExchange) verify(ctx context.Context) error {
	in, err := x.scope.object()
	if err != nil {
		return err
	}
	data, err := x.message(lfs.MaxLockBytes)
	if err != nil {
		return err
	}
	given, err := lfs.DecodeVerification(data)
	if err != nil {
		return err
	}
	if given != in.Object {
		return errTicket
	}
	if _, err := invoke(ctx, &x.desk, x.door.CodeCommit.GitLFSVerifyObject(), in); err != nil {
		return err
	}
	x.startLFS(http.StatusOK)
	return nil
}
