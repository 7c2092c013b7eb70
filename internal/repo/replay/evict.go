package replay

import "container/heap"

// fixedCost is what an answer costs beside its size, in bytes: starting a process takes
// as long as making so much of a pack.
const fixedCost = 1 << 20

// rest queues an answer that nobody reads, so that it can go. c.mu is held.
//
// The order is that of GreedyDual-Size-Frequency (Cherkasova 1998): what it saves for
// each byte that it takes, times its uses, on top of the priority of the last one that
// went, so that what is not used any more goes as well.
func (c *Cache) rest(e *entry) {
	size := float64(e.disk + e.memory)
	e.priority = c.clock + float64(e.uses)*(size+fixedCost)/max(size, 1)
	heap.Push(e.queue(), e)
}

// reserve finds room for n more bytes of an answer on disk, if need be by dropping
// answers that nobody reads. It is false where there is no room, or where all who wait for
// the answer have their share of it.
func (c *Cache) reserve(e *entry, n int64) bool {
	c.mu.Lock()
	if e.disk+n > c.Disk/2 || e.state != making && !e.filed || !c.mayGrow(e, n) {
		c.mu.Unlock()
		return false
	}
	var gone []string
	for c.stats.Disk+n > c.Disk && c.onDisk.Len() > 0 {
		gone = append(gone, c.evict(&c.onDisk))
	}
	ok := c.stats.Disk+n <= c.Disk
	if ok {
		c.grow(e, n)
		e.filed = true
	}
	c.mu.Unlock()
	for _, f := range gone {
		remove(f)
	}
	return ok
}

// release gives back bytes that were reserved and not written.
func (c *Cache) release(e *entry, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow(e, -n)
}

// entryCost is what an entry takes in memory beside its bytes.
const entryCost = 1 << 10

// reserveMemory finds room for a whole small answer. c.mu is held.
func (c *Cache) reserveMemory(e *entry) bool {
	n := e.size + entryCost
	for c.stats.Memory+n > c.Memory && c.inRAM.Len() > 0 {
		c.evict(&c.inRAM)
	}
	if c.stats.Memory+n > c.Memory {
		return false
	}
	c.stats.Memory += n
	e.memory = n
	return true
}

// evict drops the answer that is least worth its room. c.mu is held.
func (c *Cache) evict(q *queue) (file string) {
	e := heap.Pop(q).(*entry)
	c.clock = e.priority
	c.stats.Evicted++
	c.forget(e)
	e.state = forgotten
	return c.free(e)
}

// queue holds answers that nobody reads, the least worth first.
type queue []*entry

// Len implements [heap.Interface].
func (q queue) Len() int { return len(q) }

// Less implements [heap.Interface].
func (q queue) Less(i, j int) bool { return q[i].priority < q[j].priority }

// Swap implements [heap.Interface].
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push implements [heap.Interface].
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.place = len(*q)
	*q = append(*q, e)
}

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.place = resting
	return e
}

// remove takes an answer out of the queue, if it is in it.
func (q *queue) remove(e *entry) {
	if e.place != resting {
		heap.Remove(q, e.place)
	}
}
