package wire

import (
	"errors"
	"io"
	"sync"

	"github.com/refward/refward/internal/git/pktline"
)

// Band is a channel of the side-band-64k multiplex.
type Band byte

// The bands.
const (
	BandData     Band = 1 // the answer itself
	BandProgress Band = 2 // for the terminal; git writes "remote: " before each line
	BandError    Band = 3 // for the terminal too, and the client gives up
)

// maxBandPayload is what one packet carries besides the band.
const maxBandPayload = pktline.MaxPayload - 1

// Mux writes bands into one stream. It is safe for concurrent use, and each packet
// reaches the destination with one Write.
type Mux struct {
	mu  sync.Mutex // guards dst and buf
	dst io.Writer
	buf []byte
}

// NewMux returns a Mux that writes to dst.
func NewMux(dst io.Writer) *Mux { return &Mux{dst: dst} }

// Band returns a writer of one band. It cuts long writes into packets.
func (m *Mux) Band(b Band) io.Writer { return bandWriter{m, b} }

type bandWriter struct {
	m    *Mux
	band Band
}

func (w bandWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), maxBandPayload)]
		if err := w.m.packet(w.band, part); err != nil {
			return n, err
		}
		n += len(part)
		p = p[len(part):]
	}
	return n, nil
}

// KeepAlive writes an empty packet, which clients ignore.
func (m *Mux) KeepAlive() error { return m.packet(BandData, nil) }

// Close writes the flush packet that ends the multiplex. It does not close the destination.
func (m *Mux) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.dst.Write(pktline.AppendFlush(nil))
	return err
}

func (m *Mux) packet(b Band, payload []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buf = append(pktline.Begin(m.buf[:0]), byte(b))
	m.buf = pktline.End(append(m.buf, payload...), 0)
	_, err := m.dst.Write(m.buf)
	return err
}

// Demux reads a multiplex up to its flush packet, as a client does, and writes the
// bands' bytes to data and progress. Band 3 is an error with its text.
func Demux(r *pktline.Reader, data, progress io.Writer) error {
	for {
		k, p, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case k == pktline.Flush:
			return nil
		case k != pktline.Data || len(p) == 0:
			return syntax("%s in a side-band multiplex", k)
		}
		switch band, payload := Band(p[0]), p[1:]; band {
		case BandData:
			_, err = data.Write(payload)
		case BandProgress:
			_, err = progress.Write(payload)
		case BandError:
			return errors.New(string(payload))
		default:
			return syntax("band %d in a side-band multiplex", band)
		}
		if err != nil {
			return err
		}
	}
}
