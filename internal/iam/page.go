package iam

import (
	"encoding/base64"
	"strconv"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/secret"
)

const (
	defaultItems = 100
	mostItems    = 1000
	maxMarker    = 2 << 10 // bytes that are looked at
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
	if len(*marker) > maxMarker {
		return listing{}, fault.ValidationError.New("The marker is not one that this listing returned.")
	}
	b, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(b) < secret.SignatureSize || !s.Keeper.Signed(purpose, string(b[secret.SignatureSize:]), b[:secret.SignatureSize]) {
		return listing{}, fault.ValidationError.New("The marker is not one that this listing returned.")
	}
	l.after = string(b[secret.SignatureSize:])
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
	last := cursor(rows[len(rows)-1])
	marker := base64.RawURLEncoding.EncodeToString(append(s.Keeper.Sign(l.purpose, last), last...))
	return rows, &marker
}
