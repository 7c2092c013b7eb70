package iam

import (
	"strconv"

	"github.com/refward/refward/internal/fault"
)

const (
	defaultItems = 100
	mostItems    = 1000
)

// listing is one page that a request asks for.
type listing struct {
	purpose string // the operation and what it lists: no marker serves another listing
	items   int
	after   string
}

// listing reads MaxItems and Marker.
func (s *Service) listing(purpose string, maxItems *int32, marker *string) (listing, error) {
	l := listing{purpose: purpose, items: defaultItems}
	if maxItems != nil {
		l.items = int(*maxItems)
		if l.items < 1 {
			return listing{}, invalid([]string{problem("maxItems", "have value greater than or equal to 1")})
		}
		if l.items > mostItems {
			return listing{}, invalid([]string{problem("maxItems", "have value less than or equal to "+strconv.Itoa(mostItems))})
		}
	}
	if marker == nil {
		return l, nil
	}
	after, ok := s.Keeper.TokenText(purpose, *marker)
	if !ok {
		return listing{}, fault.ValidationError.New("The marker is not one that this listing returned.")
	}
	l.after = after
	return l, nil
}

// page asks the store for one row more than is shown, to know whether there are more.
func (l listing) page() Page { return Page{After: l.after, Limit: l.items + 1} }

// cut returns the rows to show and, when there are more, the marker of the next page.
func cut[T any](s *Service, l listing, rows []T, cursor func(T) string) ([]T, *string) {
	if len(rows) <= l.items {
		return rows, nil
	}
	rows = rows[:l.items]
	return rows, new(s.Keeper.Token(l.purpose, cursor(rows[len(rows)-1])))
}
