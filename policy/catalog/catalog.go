// Package catalog is the table of what policies can speak about: the actions of the
// services that a host offers, the resource types they act on, and the condition keys
// that requests carry.
//
// The facts are those of AWS's Service Authorization Reference. What is Refward's
// own is marked as an extension. The table is plain data: whether an action is
// implemented, and where the value of a key comes from, is known elsewhere.
package catalog

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Access is an access level of the Service Authorization Reference.
type Access uint8

// The levels.
const (
	List Access = iota + 1
	Read
	Write
	Tagging
	PermissionsManagement
)

// String returns the level as the reference spells it.
func (a Access) String() string {
	switch a {
	case List:
		return "List"
	case Read:
		return "Read"
	case Write:
		return "Write"
	case Tagging:
		return "Tagging"
	case PermissionsManagement:
		return "Permissions management"
	default:
		return "unknown"
	}
}

// Reads reports whether the level changes nothing.
func (a Access) Reads() bool { return a == List || a == Read }

// Action is one IAM action. Its slices are shared and must not be changed.
type Action struct {
	Name      string // "codecommit:GitPush", as IAM spells it
	Access    Access
	Resources []string // resource types ("repository"); empty: only "*"
	Keys      []string // condition keys that the action carries beyond the global ones, sorted

	// Optional says that a request may also name no resource, which only "*" matches.
	Optional bool

	// PermissionOnly says that no API operation has the action's name.
	PermissionOnly bool

	// Phases are the decisions that one use of the action is made of, in order. Of
	// most actions there is one, which has no name and carries all the keys.
	Phases []Phase
}

// Service returns the action's prefix.
func (a Action) Service() string {
	service, _, _ := strings.Cut(a.Name, ":")
	return service
}

// ResourceType is a kind of resource that a service's actions act on.
type ResourceType struct {
	Service string
	Name    string // "repository"
	ARN     string // its form, with parts such as ${RepositoryName} to fill in
	keys    string
}

// Keys returns the condition keys that every action on the type carries.
func (t ResourceType) Keys() []string { return strings.Fields(t.keys) }

// group is actions that have everything but the name in common.
type group struct {
	access     Access
	resources  string // resource types
	optional   bool
	keys       string // of the actions, beyond those of the resource types
	permission bool   // no API operation has the name
	actions    string
}

// services are all services of the table, in order.
var services = [...]struct {
	prefix string
	groups []group
	types  []ResourceType
}{
	{"codecommit", codecommitGroups, codecommitTypes},
	{"iam", iamGroups, iamTypes},
	{"sts", stsGroups, stsTypes},
}

// Services returns the prefixes of all services, sorted.
func Services() []string {
	out := make([]string, len(services))
	for i := range services {
		out[i] = services[i].prefix
	}
	return out
}

// table is the catalog made ready for look-up.
type table struct {
	actions map[string]Action       // by name in lower case
	sorted  map[string][]Action     // by service
	keys    map[string]ConditionKey // by name in lower case, up to the slash of a template
}

var built = sync.OnceValue(func() *table {
	t := &table{actions: map[string]Action{}, sorted: map[string][]Action{}, keys: map[string]ConditionKey{}}
	for _, s := range services {
		for _, g := range s.groups {
			for _, name := range strings.Fields(g.actions) {
				a := newAction(s.prefix, name, &g, s.types)
				t.actions[strings.ToLower(a.Name)] = a
				t.sorted[s.prefix] = append(t.sorted[s.prefix], a)
			}
		}
		slices.SortFunc(t.sorted[s.prefix], func(a, b Action) int { return cmp.Compare(a.Name, b.Name) })
	}
	for _, k := range keyTable {
		t.keys[strings.ToLower(stem(k.Name))] = k
	}
	return t
})

func newAction(service, name string, g *group, types []ResourceType) Action {
	a := Action{
		Name:           service + ":" + name,
		Access:         g.access,
		Resources:      strings.Fields(g.resources),
		Keys:           strings.Fields(g.keys),
		Optional:       g.optional,
		PermissionOnly: g.permission,
	}
	for _, t := range types {
		if slices.Contains(a.Resources, t.Name) {
			a.Keys = append(a.Keys, t.Keys()...)
		}
	}
	for key, actions := range extensions {
		if slices.Contains(strings.Fields(actions), a.Name) {
			a.Keys = append(a.Keys, key)
		}
	}
	slices.Sort(a.Keys)
	a.Keys = slices.Compact(a.Keys)
	a.Phases = phasesOf(&a)
	return a
}

// Lookup finds an action without regard to case.
func Lookup(action string) (Action, bool) {
	a, ok := built().actions[action]
	if !ok {
		a, ok = built().actions[strings.ToLower(action)]
	}
	return a, ok
}

// Actions returns all actions of a service prefix, sorted by name. The slice is shared
// and must not be changed.
func Actions(service string) []Action { return built().sorted[strings.ToLower(service)] }

// ResourceTypes returns the resource types of a service prefix.
func ResourceTypes(service string) []ResourceType {
	for _, s := range services {
		if strings.EqualFold(s.prefix, service) {
			return slices.Clone(s.types)
		}
	}
	return nil
}
