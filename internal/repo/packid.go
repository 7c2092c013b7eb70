package repo

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"sync"
	"time"
)

// packIDs makes IDs in the form of a ULID: 26 digits, 48 bits of time in milliseconds
// and 80 random ones. In one process each is greater than the one before, also when the
// clock stands still or goes back. Safe for concurrent use.
type packIDs struct {
	now func() time.Time

	mu   sync.Mutex // guards last
	last [16]byte
}

// crockford is the alphabet of ULIDs, in the order of ASCII.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func (p *packIDs) next() string {
	ms := uint64(p.now().UnixMilli())
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], ms<<16)
	rand.Read(id[6:])
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := binary.BigEndian.Uint64(p.last[:8]) >> 16; ms <= before {
		id = p.last
		increment(&id)
	}
	p.last = id
	return encodeID(id)
}

// timeID is the least ID of a time.
func timeID(t time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli())<<16)
	return encodeID(id)
}

// increment adds a random number to the last 64 bits and carries, so that the next ID
// cannot be guessed from the one before.
func increment(id *[16]byte) {
	var step [4]byte
	rand.Read(step[:])
	low := binary.BigEndian.Uint64(id[8:])
	sum := low + uint64(binary.BigEndian.Uint32(step[:])) + 1
	binary.BigEndian.PutUint64(id[8:], sum)
	if sum < low {
		binary.BigEndian.PutUint64(id[:8], binary.BigEndian.Uint64(id[:8])+1)
	}
}

// encodeID writes 128 bits as 26 digits, the first of which has two zero bits before.
func encodeID(id [16]byte) string {
	var shifted [17]byte // 136 bits: 130 digits' bits, the first two zero, and six over
	carry := byte(0)
	for i, b := range id {
		shifted[i] = carry | b>>2
		carry = b << 6
	}
	shifted[16] = carry
	return crockford.EncodeToString(shifted[:])[:26]
}
