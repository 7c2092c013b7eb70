package policy

// slab hands out slices of one allocation, so that many short lists cost one. What it
// hands out is never taken back.
type slab[T any] struct{ free []T }

// grow makes room for n values.
func (s *slab[T]) grow(n int) { s.free = make([]T, n) }

// take returns n zero values. Where there is no room left they are an allocation by
// themselves.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		return make([]T, n)
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}
