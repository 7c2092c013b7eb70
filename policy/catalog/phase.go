package catalog

import (
	"slices"
	"strings"
)

// Phase is one of the decisions that a use of an action is made of. A policy has to
// allow each of them.
type Phase struct {
	Name string   // "advertisement"; "" where the action has no other
	When string   // for people: "the first contact of a push"
	Keys []string // of the action's condition keys, those that a request of this phase may carry, sorted

	// Lacks are the other keys of the action: no request of this phase carries them.
	Lacks []string
}

// The phases of codecommit:GitPush.
const (
	Advertisement = "advertisement" // the refs are told, and none is named yet
	Command       = "command"       // one ref of the push
)

// phases are those of the actions that are decided more than once (CodeCommit User
// Guide, "Limit pushes and merges to branches in AWS CodeCommit": the reason why its
// policy pairs codecommit:References with a Null condition).
var phases = map[string][]struct{ name, when, lacks string }{
	"codecommit:GitPush": {
		{Advertisement, "the first contact of a push", "codecommit:References refward:ApprovalsSatisfied " +
			"refward:ChangedPaths refward:CommitsSigned refward:PushSize refward:RefChange"},
		{Command, "each ref of a push", ""},
	},
}

func phasesOf(a *Action) []Phase {
	rows, ok := phases[a.Name]
	if !ok {
		return []Phase{{Keys: a.Keys}}
	}
	out := make([]Phase, len(rows))
	for i, row := range rows {
		p := Phase{Name: row.name, When: row.when, Lacks: strings.Fields(row.lacks)}
		for _, key := range a.Keys {
			if !slices.Contains(p.Lacks, key) {
				p.Keys = append(p.Keys, key)
			}
		}
		out[i] = p
	}
	return out
}

// Phase returns the action's phase of that name.
func (a Action) Phase(name string) (Phase, bool) {
	for _, p := range a.Phases {
		if p.Name == name {
			return p, true
		}
	}
	return Phase{}, false
}
