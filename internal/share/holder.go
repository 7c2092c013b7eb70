package share

import (
	"context"
	"sync"
)

type key struct{}

// As returns a context in which places are taken for a holder. The empty holder is the
// host itself, which has no share to keep to.
func As(ctx context.Context, holder string) context.Context {
	return context.WithValue(ctx, key{}, holder)
}

// Holder returns the holder that [As] has named; empty where there is none.
func Holder(ctx context.Context) string {
	h, _ := ctx.Value(key{}).(string)
	return h
}

// Party is holders who want the same thing. Safe for concurrent use.
type Party struct {
	mu      sync.Mutex // before that of a gate
	members map[string]int
	tickets map[*ticket]struct{} // of places taken or waited for
}

// NewParty returns a party of nobody.
func NewParty() *Party {
	return &Party{members: map[string]int{}, tickets: map[*ticket]struct{}{}}
}

// Context returns a context in which places are taken for the party.
func (p *Party) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// Join adds a holder, who may join several times.
func (p *Party) Join(holder string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members[holder]++
	if p.members[holder] > 1 {
		return
	}
	for t := range p.tickets {
		t.gate.join(t, holder)
	}
}

// Leave takes back one Join.
func (p *Party) Leave(holder string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members[holder]--
	if p.members[holder] > 0 {
		return
	}
	delete(p.members, holder)
	for t := range p.tickets {
		t.gate.leave(t, holder)
	}
}

// enter lets a ticket ask for its place in the name of everybody, now and later.
func (p *Party) enter(t *ticket) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	holders := make([]string, 0, len(p.members))
	for h := range p.members {
		holders = append(holders, h)
	}
	if err := t.gate.enter(t, holders...); err != nil {
		return err
	}
	p.tickets[t] = struct{}{}
	return nil
}

// forget ends what enter began.
func (p *Party) forget(t *ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tickets, t)
}
