package gitserver

import (
	"cmp"
	"time"

	"github.com/refward/refward/internal/git/wire"
)

// Limits bound what one request of a Git client may cost. A zero field stands for
// its default, so that the zero Limits work.
type Limits struct {
	PushBytes  int64 // of a push in all, unpacked from gzip, drained or not; default 24 GiB, more than any pack accepted
	FetchBytes int64 // of a fetch request, unpacked from gzip; default 16 MiB, some 300,000 wants and haves

	Commands     int // ref commands in one push; default 4,000, CodeCommit's quota
	CommandBytes int // of the command list with push options; default 8 MiB
	PushOptions  int // push options in one push; default 100
	OptionBytes  int // of one push option; default 1 KiB

	Stall     time.Duration // the longest wait for the client to send or take something; default 2 minutes
	Total     time.Duration // the longest that one request or SSH command may take; default 2 hours
	KeepAlive time.Duration // how often a client that waits for its push hears something; default 5 seconds
}

// The defaults of [Limits].
const (
	DefaultPushBytes    = 24 << 30
	DefaultFetchBytes   = 16 << 20
	DefaultCommands     = 4000
	DefaultCommandBytes = 8 << 20
	DefaultPushOptions  = 100
	DefaultOptionBytes  = 1 << 10
	DefaultStall        = 2 * time.Minute
	DefaultTotal        = 2 * time.Hour
	DefaultKeepAlive    = 5 * time.Second
)

// withDefaults fills in the zero fields.
func (l Limits) withDefaults() Limits {
	return Limits{
		PushBytes:    cmp.Or(l.PushBytes, DefaultPushBytes),
		FetchBytes:   cmp.Or(l.FetchBytes, DefaultFetchBytes),
		Commands:     cmp.Or(l.Commands, DefaultCommands),
		CommandBytes: cmp.Or(l.CommandBytes, DefaultCommandBytes),
		PushOptions:  cmp.Or(l.PushOptions, DefaultPushOptions),
		OptionBytes:  cmp.Or(l.OptionBytes, DefaultOptionBytes),
		Stall:        cmp.Or(l.Stall, DefaultStall),
		Total:        cmp.Or(l.Total, DefaultTotal),
		KeepAlive:    cmp.Or(l.KeepAlive, DefaultKeepAlive),
	}
}

// push returns the limits of a command list. A client's shallow boundary may have as
// many commits as its command list has room for.
func (l Limits) push() wire.PushLimits {
	return wire.PushLimits{
		Commands:    l.Commands,
		Shallow:     l.CommandBytes / 64,
		Bytes:       l.CommandBytes,
		Options:     l.PushOptions,
		OptionBytes: l.OptionBytes,
	}
}
