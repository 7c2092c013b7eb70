package validate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

// Options say what is known about where the document is meant for. The zero Options
// know nothing and check nothing that needs them.
type Options struct {
	Account   string // 12 digits
	Region    string // "us-east-1"
	Partition string // "aws"

	// Repositories are the names of all repositories; nil when they are not known.
	Repositories []string

	Target Target
}

// Target is who will read the document.
type Target uint8

// The targets.
const (
	Host Target = iota // this software: the services of the catalog, extensions included
	AWS                // AWS itself: other services exist, extensions do not
)

// Document checks a document of a kind and returns its findings in the order of the
// text. It never fails: what is not a policy at all is a finding.
func Document(kind policy.Kind, document []byte, opt Options) []Finding {
	c := &checker{kind: kind, text: string(document), opt: &opt, lines: newPlaces(string(document))}
	if c.checkSyntax() {
		c.read()
		c.checkDocument()
		for i := range c.statements {
			c.checkStatement(&c.statements[i])
		}
		c.checkCoverage()
		c.checkProtection()
	}
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.Code, b.Code))
	})
	return c.findings
}

// checker is one document being checked.
type checker struct {
	kind       policy.Kind
	text       string
	opt        *Options
	lines      places
	root       *node
	removed    []*node // what syntax errors took out
	variables  bool    // the version has them
	statements []statement
	globs      globs
	guesses    int                  // spellings looked up
	matched    map[string][]*action // by action pattern in lower case
	findings   []Finding
}

// statement is one statement of the right shape. Statements with a syntax error are
// left out.
type statement struct {
	node   *node
	number int // 1-based
	deny   bool

	principals   []principal
	principal    *node
	notPrincipal bool

	actions   []actionEntry
	action    *node
	notAction bool
	covers    []*action // those of the catalog that it speaks about

	resources   []resourceEntry
	resource    *node // nil in a trust policy
	notResource bool

	conditions []condition
	condition  *node
}

type principal struct {
	node      *node
	typ, name string
}

type actionEntry struct {
	node    *node
	glob    glob
	odd     bool      // wildcard in the service prefix, or for it: contested
	service string    // prefix in lower case, "" for *
	covers  []*action // those of the catalog that it matches
}

type resourceEntry struct {
	node *node
	arn  arnGlob
}

// condition is one operator and key.
type condition struct {
	operator policy.Operator
	opNode   *node // the member of the Condition element
	node     *node // the member of the operator
	key      catalog.ConditionKey
	known    bool
	values   []*node
	globs    []glob // of string operators, parallel to values
}

// read makes the statements from the tree.
func (c *checker) read() {
	if v := c.root.get("Version"); v != nil {
		c.variables = v.text == "2012-10-17"
	}
	list := c.root.get("Statement")
	if list == nil {
		return
	}
	for i, n := range list.leaves() {
		if slices.ContainsFunc(c.removed, n.holds) {
			continue
		}
		c.statements = append(c.statements, c.readStatement(n, i+1))
	}
}

func (c *checker) readStatement(n *node, number int) statement {
	s := statement{node: n, number: number}
	for _, m := range n.children {
		switch m.name {
		case "Effect":
			s.deny = m.text == policy.Deny.String()
		case "Principal", "NotPrincipal":
			s.principal, s.notPrincipal = m, m.name == "NotPrincipal"
		case "Action", "NotAction":
			s.action, s.notAction = m, m.name == "NotAction"
		case "Resource", "NotResource":
			s.resource, s.notResource = m, m.name == "NotResource"
		case "Condition":
			s.condition = m
		}
	}
	for _, a := range s.action.leaves() {
		s.actions = append(s.actions, c.readAction(a))
	}
	s.covers = s.spokenAbout()
	for _, r := range s.resource.leaves() {
		s.resources = append(s.resources, resourceEntry{r, c.globs.compileARN(r.text, c.variables)})
	}
	if s.principal != nil && s.principal.kind == '{' {
		for _, m := range s.principal.children {
			for _, p := range m.leaves() {
				s.principals = append(s.principals, principal{p, m.name, p.text})
			}
		}
	} else if s.principal != nil {
		s.principals = []principal{{s.principal, "*", s.principal.text}}
	}
	c.readConditions(&s)
	return s
}

func (c *checker) readConditions(s *statement) {
	if s.condition == nil {
		return
	}
	for _, op := range s.condition.children {
		operator, ok := policy.ParseOperator(op.name)
		if !ok {
			continue // over no key, or it would not have parsed
		}
		for _, k := range op.children {
			cond := condition{operator: operator, opNode: op, node: k, values: k.leaves()}
			cond.key, cond.known = catalog.Key(k.name)
			if operator.Family == policy.StringFamily {
				x := syntax{wildcards: operator.Wildcards, variables: c.variables, fold: operator.IgnoreCase}
				cond.globs = make([]glob, len(cond.values))
				for i, v := range cond.values {
					cond.globs[i] = c.globs.compile(v.text, x)
				}
			}
			s.conditions = append(s.conditions, cond)
		}
	}
}

// add reports a finding about a node: a member of an object with its name, or a value.
func (c *checker) add(code Code, severity Severity, n *node, mend *Mend, format string, args ...any) {
	c.addAt(code, severity, n.start, n.end, n.pointer(), mend, fmt.Sprintf(format, args...))
}

// addName reports a finding about the name of a member.
func (c *checker) addName(code Code, severity Severity, n *node, mend *Mend, format string, args ...any) {
	c.addAt(code, severity, n.nameStart, n.nameEnd, n.pointer(), mend, fmt.Sprintf(format, args...))
}

func (c *checker) addAt(code Code, severity Severity, start, end int, pointer string, mend *Mend, message string) {
	c.findings = append(c.findings, Finding{
		Severity: severity,
		Code:     code,
		Start:    c.lines.position(start),
		End:      c.lines.position(end),
		Pointer:  pointer,
		Message:  message,
		Mend:     mend,
		start:    start,
		end:      end,
	})
}

// effect words what a mistake makes of a statement.
type effect uint8

const (
	never  effect = iota // it never applies
	always               // it applies whatever the condition was to ask
)

// severity: a Deny that never applies and an Allow that always does let through what
// they seem to stop.
func (s *statement) severity(e effect) Severity {
	if s.deny == (e == never) {
		return SecurityWarning
	}
	return Warning
}

// verb returns "denies" or "allows".
func (s *statement) verb() string {
	if s.deny {
		return "denies"
	}
	return "allows"
}
