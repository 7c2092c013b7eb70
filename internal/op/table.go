package op

import (
	"fmt"
	"slices"
	"strings"
)

// Table is every operation of the host, by service and name.
type Table struct {
	byName map[string]Any
	all    []Any
}

// NewTable gathers the operations of the domains. Two of the same service and name
// are a mistake in the wiring, reported as an error.
func NewTable(groups ...[]Any) (*Table, error) {
	t := &Table{byName: map[string]Any{}}
	for _, o := range slices.Concat(groups...) {
		key := o.Row().Service + ":" + o.Row().Name
		if _, ok := t.byName[key]; ok {
			return nil, fmt.Errorf("operation %s is listed twice", key)
		}
		t.byName[key] = o
		t.all = append(t.all, o)
	}
	slices.SortFunc(t.all, func(x, y Any) int {
		a, b := x.Row(), y.Row()
		return strings.Compare(a.Service+":"+a.Name, b.Service+":"+b.Name)
	})
	return t, nil
}

// Lookup returns the operation, or false where the host has none of that name.
func (t *Table) Lookup(service, name string) (Any, bool) {
	o, ok := t.byName[service+":"+name]
	return o, ok
}

// All returns every operation, sorted by service and name.
func (t *Table) All() []Any { return t.all }
