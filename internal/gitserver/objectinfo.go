package gitserver

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// objectInfo answers version 2's object-info. Of an object that is not there it tells no
// size, as git does.
func objectInfo(ctx context.Context, s service, snap *repo.Snapshot, q *wire.ObjectInfo, out io.Writer) (err error) {
	objects, err := s.objects(ctx, snap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objects.Close()) }()
	var buf []byte
	if q.Size && len(q.IDs) > 0 {
		buf = wire.AppendObjectInfo(buf, "size")
	}
	for _, id := range q.IDs {
		if !q.Size {
			buf = wire.AppendObjectInfo(buf, id.String())
			continue
		}
		size := ""
		switch _, n, err := objects.Info(ctx, id); {
		case err == nil:
			size = strconv.FormatInt(n, 10)
		case !errors.Is(err, repo.ErrObjectNotFound):
			return err
		}
		buf = wire.AppendObjectInfo(buf, id.String(), size)
	}
	_, err = out.Write(pktline.AppendFlush(buf))
	return err
}
