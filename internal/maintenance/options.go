package maintenance

import (
	"fmt"
	"time"

	"github.com/refward/refward/internal/repo"
)

// Options say when something is due. The zero value is good.
type Options struct {
	// Packs is how many packs a repository has when they are consolidated. 0: 32.
	// Everything that git does on a repository looks at each of its packs.
	Packs int

	// BitmapBytes is the size from which the largest pack of a repository is to have a
	// bitmap, without waiting for more packs. 0: 4 MiB.
	BitmapBytes int64

	// FrozenBytes is the size from which a pack is not written anew. 0: 1 GiB.
	FrozenBytes int64

	// Grace is how long blobs that nothing live names are kept: a backup that copies the
	// database first and the blobs afterwards must end in that time. 0: 48 h.
	Grace time.Duration

	// Interval is the time between sweeps over all repositories. 0: 1 h.
	Interval time.Duration
}

const (
	defaultPacks       = 32
	defaultBitmapBytes = 4 << 20
	defaultFrozenBytes = 1 << 30
	defaultGrace       = 48 * time.Hour
	defaultInterval    = time.Hour

	// leastGrace leaves room for what is under way: a push may commit a pack this long
	// after it was uploaded, and clocks may differ.
	leastGrace = 2 * repo.MaxPublish
	leastPacks = 2
)

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Packs == 0 {
		o.Packs = defaultPacks
	}
	if o.BitmapBytes == 0 {
		o.BitmapBytes = defaultBitmapBytes
	}
	if o.FrozenBytes == 0 {
		o.FrozenBytes = defaultFrozenBytes
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	return o
}

// Check says what does not fit.
func (o Options) Check() error {
	o = o.withDefaults()
	switch {
	case o.Packs < leastPacks:
		return fmt.Errorf("maintenance at %d packs: it takes at least %d to make one of them", o.Packs, leastPacks)
	case o.Grace < leastGrace:
		return fmt.Errorf("a grace period of %v: a push may take longer to commit what it has stored; at least %v", o.Grace, leastGrace)
	case o.BitmapBytes < 0 || o.FrozenBytes < 0 || o.Interval < 0:
		return fmt.Errorf("sizes and times of maintenance must not be negative")
	}
	return nil
}
