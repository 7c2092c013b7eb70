package validate

import (
	"slices"
	"strings"
	"sync"

	"github.com/refward/refward/policy/catalog"
)

// action is an action of the catalog, with its place among all and the ARN forms of
// what it acts on.
type action struct {
	catalog.Action
	index int
	forms []arnGlob
}

// actionTable is the catalog made ready for look-up.
type actionTable struct {
	all       []*action
	byService map[string][]*action
	byName    map[string]*action // in lower case
	movesRefs []*action          // see codecommit.go
}

var actions = sync.OnceValue(func() *actionTable {
	t := &actionTable{byService: map[string][]*action{}, byName: map[string]*action{}}
	for _, service := range catalog.Services() {
		for _, known := range catalog.Actions(service) {
			a := &action{Action: known, index: len(t.all), forms: formsOf(&known)}
			t.all = append(t.all, a)
			t.byService[service] = append(t.byService[service], a)
			t.byName[strings.ToLower(a.Name)] = a
			if slices.Contains(a.Keys, refChange) {
				t.movesRefs = append(t.movesRefs, a)
			}
		}
	}
	return t
})

// actionsOf returns the actions of one service.
func actionsOf(service string) []*action { return actions().byService[service] }

func (c *checker) readAction(n *node) actionEntry {
	a := actionEntry{node: n}
	text := strings.ToLower(n.text)
	if text == "*" || text == "*:*" {
		a.glob, a.covers = glob{anyText}, actions().all
		return a
	}
	a.glob = c.globs.compile(text, syntax{wildcards: true})
	service, _, _ := strings.Cut(text, ":")
	a.service = service
	a.odd = strings.ContainsAny(service, "*?")
	if a.glob.literal() {
		if known, ok := actions().byName[text]; ok {
			a.covers = []*action{known}
		}
		return a
	}
	if same, ok := c.matched[text]; ok {
		a.covers = same
		return a
	}
	candidates := actionsOf(service)
	if strings.ContainsAny(service, "*?") {
		candidates = actions().all
	}
	for _, known := range candidates {
		if matches(text, known.Name) {
			a.covers = append(a.covers, known)
		}
	}
	if c.matched == nil {
		c.matched = map[string][]*action{}
	}
	c.matched[text] = a.covers
	return a
}

// matches compares a pattern in lower case with a name that is not.
func matches(pattern, name string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(name) {
		b := name[t]
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == b || pattern[p] == '?'):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// spokenAbout returns the actions of the catalog that the statement speaks about.
func (s *statement) spokenAbout() []*action {
	if !s.notAction && len(s.actions) == 1 {
		return s.actions[0].covers
	}
	listed := make([]bool, len(actions().all))
	var out []*action
	for i := range s.actions {
		for _, a := range s.actions[i].covers {
			if !listed[a.index] {
				listed[a.index] = true
				out = append(out, a)
			}
		}
	}
	if !s.notAction {
		return out
	}
	out = nil
	for _, a := range actions().all {
		if !listed[a.index] {
			out = append(out, a)
		}
	}
	return out
}

// checkActions checks every entry of Action or NotAction by itself.
func (c *checker) checkActions(s *statement) {
	// An entry that matches nothing shrinks the statement, or under NotAction widens it.
	e := never
	if s.notAction {
		e = always
	}
	for i := range s.actions {
		a := &s.actions[i]
		c.checkNoVariable(a.node, VariableUnsupportedInElement, "in "+s.action.name)
		switch {
		case a.service == "":
		case a.odd:
			c.add(WildcardInServiceName, Warning, a.node, nil,
				"whether %q matches anything is contested: write the service prefix out", a.node.text)
		case actionsOf(a.service) == nil:
			c.checkService(s, a)
		case len(a.covers) == 0:
			c.unknownAction(s.severity(e), a)
		}
	}
}

func (c *checker) unknownAction(severity Severity, a *actionEntry) {
	service, name, _ := strings.Cut(a.node.text, ":")
	if !a.glob.literal() {
		c.add(UnknownAction, severity, a.node, nil, "%q matches no action of %s", a.node.text, service)
		return
	}
	var m *Mend
	if c.mayGuess() {
		better := nearest(name, func(yield func(string) bool) {
			for _, known := range actionsOf(a.service) {
				if !yield(known.Name[len(a.service)+1:]) {
					return
				}
			}
		})
		if better != "" {
			better = a.service + ":" + better
		}
		m = c.respell(a.node, a.node.text, better)
	}
	c.add(UnknownAction, severity, a.node, m, "there is no action %q: no request ever asks for it", a.node.text)
}

// checkService is about a prefix that the catalog does not have.
func (c *checker) checkService(s *statement, a *actionEntry) {
	service, name, _ := strings.Cut(a.node.text, ":")
	if near := c.nearestService(a.service); near != "" {
		c.add(UnknownService, s.severity(never), a.node, c.respell(a.node, a.node.text, near+":"+name),
			"%q is not a service of this host", service)
		return
	}
	if c.opt.Target == Host {
		c.add(ServiceNotOffered, Suggestion, a.node, nil,
			"this host has no service %q: the action has no effect here", service)
	}
}

// nearestService guesses what a prefix was meant to be. Short ones are all near each
// other: sns is no misspelled sts.
func (c *checker) nearestService(service string) string {
	const shortest = 5
	if len(service) < shortest || !c.mayGuess() {
		return ""
	}
	return nearest(service, slices.Values(catalog.Services()))
}

// mayGuess bounds how many spellings are looked up in one document.
func (c *checker) mayGuess() bool {
	const most = 64
	c.guesses++
	return c.guesses <= most
}

// names lists actions for a message, a long list shortened.
func names(actions []*action) string {
	const most = 4
	var out []string
	for i, a := range actions {
		if i == most {
			return strings.Join(out, ", ") + " and others"
		}
		out = append(out, a.Name)
	}
	return strings.Join(out, ", ")
}
