package validate

import (
	"slices"
	"strings"

	"github.com/refward/refward/policy"
)

// checkDocument checks what stands outside of the statements.
func (c *checker) checkDocument() {
	if c.root.get("Version") == nil && !slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Code == InvalidVersion }) {
		c.addAt(MissingVersion, Suggestion, c.root.start, c.root.end, "", c.setVersion(),
			"without a Version the document is one of 2008-10-17, which has no variables")
	}
}

// checkStatement checks one statement by itself.
func (c *checker) checkStatement(s *statement) {
	if sid := s.node.get("Sid"); sid != nil && sid.text == "" {
		c.add(EmptySid, Suggestion, sid, mend("take it out", removeMember(sid)...), "the Sid is empty")
	}
	c.checkActions(s)
	c.checkPrincipals(s)
	c.checkResources(s)
	c.checkConditions(s)
	c.checkBreadth(s)
}

// grants reports whether documents of the kind give rights; the others only limit.
func (c *checker) grants() bool {
	switch c.kind {
	case policy.Boundary, policy.Session, policy.ServiceControl:
		return false
	default:
		return true
	}
}

// checkBreadth is about statements that allow more than anybody can list.
func (c *checker) checkBreadth(s *statement) {
	if s.deny || !c.grants() {
		return
	}
	if s.notAction {
		c.addName(AllowWithNotAction, SecurityWarning, s.action, mend("list what is allowed under Action"),
			"Allow with NotAction allows every action that is not listed, of every service, future ones included")
	}
	if s.resource != nil && s.notResource {
		c.addName(AllowWithNotResource, SecurityWarning, s.resource, mend("list what is allowed under Resource"),
			"Allow with NotResource allows every resource that is not listed, future ones included")
	}
	if s.notAction || s.notResource || len(s.conditions) > 0 || s.principal != nil {
		return
	}
	everyAction := slices.IndexFunc(s.actions, func(a actionEntry) bool { return a.service == "" })
	everything := slices.ContainsFunc(s.resources, func(r resourceEntry) bool { return r.arn.every })
	if everyAction >= 0 && everything {
		c.add(AllowEverything, SecurityWarning, s.actions[everyAction].node, mend("list the actions and resources that are needed"),
			"the statement allows every action on every resource without a condition")
	}
}

func (c *checker) checkPrincipals(s *statement) {
	if s.principal == nil {
		return
	}
	if s.notPrincipal && !s.deny {
		c.addName(AllowWithNotPrincipal, SecurityWarning, s.principal, mend("list who is allowed under Principal"),
			"Allow with NotPrincipal allows everyone who is not listed, callers that nobody knows included")
	}
	for _, p := range s.principals {
		c.checkNoVariable(p.node, VariableUnsupportedInElement, "in "+s.principal.name)
		switch {
		case p.name == "*":
			if !s.deny && !s.notPrincipal && len(s.conditions) == 0 {
				c.add(PrincipalEveryone, SecurityWarning, p.node, mend("name the account, users or roles"),
					"the statement allows everyone, of every account, without a condition")
			}
		case c.opt.Partition != "" && strings.HasPrefix(p.name, "arn:"):
			if parts := strings.SplitN(p.name, ":", 3); parts[1] != c.opt.Partition {
				c.add(ARNPartitionMismatch, Warning, p.node, nil,
					"the principal is of partition %q; here it is %q", parts[1], c.opt.Partition)
			}
		}
	}
}
