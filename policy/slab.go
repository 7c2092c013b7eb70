package policy

// slab hands out slices of one allocation after the other, so that many short lists
// cost one. What it hands out is never taken back.
type slab[T any] struct{ free []T }

// take returns n zero values. They are cut from an allocation of at least the given
// size.
func (s *slab[T]) take(n, size int) []T {
	if n > len(s.free) {
		s.free = make([]T, max(n, size))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// keep returns a copy of the list.
func (s *slab[T]) keep(list []T, size int) []T {
	out := s.take(len(list), size)
	copy(out, list)
	return out
}
