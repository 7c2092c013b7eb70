package validate

import (
	"slices"
	"strings"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

// What CodeCommit does with refs (CodeCommit User Guide, "Limit pushes and merges to
// branches in AWS CodeCommit"), beyond what the catalog says.
const (
	references = "codecommit:References"
	push       = "codecommit:GitPush"

	// refChange is carried by the actions that move refs, and by no other.
	refChange = "refward:RefChange"
)

func (s *statement) speaksAbout(name string) bool {
	return slices.ContainsFunc(s.covers, func(a *action) bool { return a.Name == name })
}

// onRefs returns the conditions that compare the refs, Null left out.
func (s *statement) onRefs() []*condition {
	var out []*condition
	for i := range s.conditions {
		if k := &s.conditions[i]; k.key.Name == references && k.operator.Family != policy.NullFamily {
			out = append(out, k)
		}
	}
	return out
}

// checkProtection checks what the statements say about refs.
func (c *checker) checkProtection() {
	for i := range c.statements {
		s := &c.statements[i]
		for _, k := range s.onRefs() {
			for _, v := range k.values {
				c.checkReference(s, k, v)
			}
		}
		c.checkPush(s)
		c.checkHole(s)
	}
}

// refSpaces are where refs that people push live.
var refSpaces = [...]string{"refs/heads/", "refs/tags/"}

// checkReference: values are full ref names, so that one without refs/ fits none.
func (c *checker) checkReference(s *statement, k *condition, v *node) {
	if k.operator.Family != policy.StringFamily || v.text == "" || c.mayBeRef(k, v) {
		return
	}
	severity := Warning
	if len(k.values) == 1 {
		e := never
		if k.operator.Negated {
			e = always
		}
		severity = s.severity(e)
	} else if s.deny && !k.operator.Negated {
		severity = SecurityWarning
	}
	m := mend("write refs/heads/ and the branch, or refs/tags/ and the tag")
	if better := fullName(v.text); better != v.text {
		m = mend("write "+better, replaceValue(v, better))
	}
	c.add(ReferenceNotFull, severity, v, m,
		"%s holds full names such as refs/heads/main: it is never %q", references, clip(v.text))
}

// mayBeRef reports whether a value may match the name of a branch, a tag, or a ref of
// another kind that is not a misspelling of these.
func (c *checker) mayBeRef(k *condition, v *node) bool {
	for _, space := range refSpaces {
		if strings.HasPrefix(v.text, space) && len(v.text) > len(space) {
			return true
		}
	}
	x := syntax{wildcards: true, variables: c.variables, fold: k.operator.IgnoreCase}
	if !c.globs.compile(v.text, x).meets(c.globs.compile("refs/?*", x)) {
		return false
	}
	rest, ok := strings.CutPrefix(v.text, "refs/")
	if !ok {
		return true // begins with a wildcard or a variable
	}
	kind, _, found := strings.Cut(rest, "/")
	if !found || kind == "heads" || kind == "tags" || strings.ContainsAny(kind, "*?$") {
		return found || strings.ContainsAny(rest, "*?$")
	}
	return nearest(kind, slices.Values([]string{"heads", "tags"})) == ""
}

// fullName guesses the ref that a text was meant to be.
func fullName(text string) string {
	rest := strings.TrimLeft(text, "/")
	rest = strings.TrimPrefix(rest, "refs/")
	kind, name, found := strings.Cut(rest, "/")
	if found && name != "" {
		switch nearest(kind, slices.Values([]string{"heads", "tags"})) {
		case "heads":
			return refSpaces[0] + name
		case "tags":
			return refSpaces[1] + name
		}
	}
	if rest == "" || strings.HasPrefix(rest, "*") {
		return text
	}
	return refSpaces[0] + rest
}

// checkPush: a push is decided in phases, and the first request of it carries no ref (see
// [catalog.Phase]). A Deny that meets it, or an Allow that does not, stops every push.
func (c *checker) checkPush(s *statement) {
	if s.notAction || !s.speaksAbout(push) {
		return
	}
	for _, p := range actions().byName[strings.ToLower(push)].Phases {
		if asked := s.onKeys(p.Lacks); len(asked) > 0 {
			c.checkPhase(s, &p, asked)
		}
	}
}

// checkPhase is checkPush for a phase that lacks the keys of some of the conditions.
func (c *checker) checkPhase(s *statement, p *catalog.Phase, asked []*condition) {
	i := slices.IndexFunc(asked, func(k *condition) bool { return !k.holdsWithout(s) })
	switch {
	case s.deny && i < 0:
		k := asked[0]
		c.addName(DenyBlocksEveryPush, Warning, k.node, s.requireKey(k.node.name),
			"the statement denies every push to every ref: %s carries no %s, and %s", p.When, k.key.Name, k.consequence(s))
	case !s.deny && i >= 0 && !c.reachedElsewhere(s, p):
		k := asked[i]
		m := mend("let the conditions hold for a request without the key")
		alone := !slices.ContainsFunc(asked[i+1:], func(k *condition) bool { return !k.holdsWithout(s) })
		if op := k.operator; op.Family != policy.NullFamily && alone {
			op.IfExists, op.Set = true, policy.NoSet
			m = k.use(op)
		}
		c.addName(AllowNeverPushes, Warning, k.node, m,
			"the statement allows no push at all: %s carries no %s, and without it the statement does not apply", p.When, k.key.Name)
	}
}

// onKeys returns the conditions on any of the keys, in order.
func (s *statement) onKeys(keys []string) []*condition {
	var out []*condition
	for i := range s.conditions {
		if k := &s.conditions[i]; slices.Contains(keys, k.key.Name) {
			out = append(out, k)
		}
	}
	return out
}

// reachedElsewhere reports whether another Allow may let a push through that phase.
func (c *checker) reachedElsewhere(s *statement, p *catalog.Phase) bool {
	for i := range c.statements {
		t := &c.statements[i]
		fails := func(k *condition) bool { return !k.holdsWithout(t) }
		if t == s || t.deny || !t.speaksAbout(push) || slices.ContainsFunc(t.onKeys(p.Lacks), fails) {
			continue
		}
		for j := range s.resources {
			meets := func(r resourceEntry) bool { return r.arn.meets(&s.resources[j].arn) }
			if t.notResource || slices.ContainsFunc(t.resources, meets) {
				return true
			}
		}
	}
	return false
}

// checkHole: a Deny that protects refs against some actions that move them and not
// against the others, such as the list that everyone copies, without CreateCommit and
// DeleteFile. A Deny of one action other than GitPush is taken to mean just that.
func (c *checker) checkHole(s *statement) {
	if !s.deny || s.notAction || len(s.onRefs()) == 0 {
		return
	}
	var left []string
	listed := 0
	for _, a := range actions().movesRefs {
		switch {
		case slices.Contains(s.covers, a):
			listed++
		case !c.deniedElsewhere(s, a):
			left = append(left, a.Name)
		}
	}
	if len(left) == 0 || listed == 0 || listed == 1 && !s.speaksAbout(push) {
		return
	}
	what := strings.Join(left, ", ")
	c.addName(RefProtectionIncomplete, SecurityWarning, s.action, mend("add "+what, appendItems(s.action, left)...),
		"the statement protects refs and leaves out actions that move the same refs: %s", what)
}

// deniedElsewhere reports whether another Deny holds for the action whenever s would.
func (c *checker) deniedElsewhere(s *statement, a *action) bool {
	for i := range c.statements {
		t := &c.statements[i]
		if t != s && t.deny && slices.Contains(t.covers, a) && c.coversRest(t, s) {
			return true
		}
	}
	return false
}

// checkRepositories: the ARN of a repository ends with its bare name, and there is a
// repository of that name.
func (c *checker) checkRepositories(severity Severity, r *resourceEntry) {
	if r.arn.texts[1] != "codecommit" {
		return
	}
	name := r.arn.texts[4]
	if before, after, found := cutOutside(name, "/:"); found {
		better := before
		if before == "repository" || before == "repo" || before == "" {
			better = after
		}
		c.add(RepositoryARNForm, severity, r.node, c.setPart(r, 4, better),
			"the ARN of a repository ends with its bare name; branches and files have none: %q matches nothing", clip(name))
		return
	}
	if c.opt.Repositories == nil {
		return
	}
	exists := func(repo string) bool { return r.arn.parts[4].meets(c.globs.compile(repo, syntax{})) }
	if slices.ContainsFunc(c.opt.Repositories, exists) {
		return
	}
	var m *Mend
	if c.mayGuess() {
		if near := nearest(name, slices.Values(c.opt.Repositories)); near != "" {
			m = c.setPart(r, 4, near)
		}
	}
	c.add(ResourceMatchesNothing, Warning, r.node, m, "there is no repository %q", clip(name))
}

// cutOutside cuts a text at the first of some characters that stands outside of ${…}.
func cutOutside(text, chars string) (before, after string, found bool) {
	for i := 0; i < len(text); i++ {
		if text[i] == '$' {
			if _, n := readVariable(text[i:]); n > 0 {
				i += n - 1
				continue
			}
		}
		if strings.IndexByte(chars, text[i]) >= 0 {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}
