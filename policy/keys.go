package policy

import "slices"

// ContextKeys returns the names of all condition keys that the policy looks at, in
// conditions and in variables, as first spelled, sorted.
func (p *Policy) ContextKeys() []string { return ContextKeys(p) }

// ContextKeys returns the names of all condition keys that any of the policies looks at,
// in conditions and in variables, each once whatever its case, as first spelled, sorted.
// The list of none is empty and not nil.
func ContextKeys(policies ...*Policy) []string {
	var names []string
	for _, p := range policies {
		for i := range p.statements {
			names = p.statements[i].keys(names)
		}
	}
	out := []string{}
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if folded := lowerText(n); !seen[folded] {
			seen[folded] = true
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// keys adds the condition keys that the statement looks at.
func (s *statement) keys(names []string) []string {
	for j := range s.resources {
		names = s.resources[j].keys(names)
	}
	for j := range s.conditions {
		c := &s.conditions[j]
		names = append(names, c.key.name)
		for k := range c.patterns {
			names = c.patterns[k].keys(names)
		}
		for k := range c.arns {
			names = c.arns[k].keys(names)
		}
	}
	return names
}
