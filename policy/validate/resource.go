package validate

import (
	"slices"
	"strings"
	"sync"

	"github.com/refward/refward/policy/catalog"
)

// typeForms are the ARN forms of the resource types of a service, as patterns.
var typeForms = sync.OnceValue(func() map[string][]arnGlob {
	g := &globs{}
	out := map[string][]arnGlob{}
	for _, service := range catalog.Services() {
		for _, t := range catalog.ResourceTypes(service) {
			form := g.compileARN(t.ARN, true)
			out[service+" "+t.Name] = append(out[service+" "+t.Name], form)
		}
	}
	return out
})

// formsOf returns the ARN forms of what an action acts on.
func formsOf(a *catalog.Action) []arnGlob {
	forms := typeForms()
	if len(a.Resources) == 1 {
		return forms[a.Service()+" "+a.Resources[0]]
	}
	var out []arnGlob
	for _, r := range a.Resources {
		out = append(out, forms[a.Service()+" "+r]...)
	}
	return out
}

// actsOn reports whether some request for the action may name a resource that the
// pattern matches.
func actsOn(a *action, r *arnGlob) bool {
	if r.every {
		return true
	}
	for i := range a.forms {
		if a.forms[i].meets(r) {
			return true
		}
	}
	return false
}

func (c *checker) checkResources(s *statement) {
	for i := range s.resources {
		c.checkResource(s, &s.resources[i])
	}
	if s.resource == nil || s.notResource {
		return
	}
	if slices.ContainsFunc(s.resources, func(r resourceEntry) bool { return r.arn.every }) {
		return
	}
	acted := make([]bool, len(s.resources))
	if !s.notAction {
		for i := range s.actions {
			c.checkActedOn(s, &s.actions[i], acted)
		}
		c.checkNeverUsed(s, acted)
	}
}

// checkActedOn looks for an entry none of whose actions fits any resource, and marks
// the resources that fit one.
func (c *checker) checkActedOn(s *statement, e *actionEntry, acted []bool) {
	any, typed := false, false
	var last *arnGlob // of the action before, which most often acts on the same
	for _, a := range e.covers {
		typed = typed || len(a.Resources) > 0
		if len(a.forms) > 0 {
			if last == &a.forms[0] {
				continue
			}
			last = &a.forms[0]
		}
		for i := range s.resources {
			if (!acted[i] || !any) && actsOn(a, &s.resources[i].arn) {
				acted[i], any = true, true
			}
		}
	}
	switch {
	case any || len(e.covers) == 0:
	case !typed:
		c.add(ResourceStarRequired, s.severity(never), e.node, mend(`put it into a statement of its own with "Resource": "*"`),
			`%s has no resource-level permission: the statement never %s it without the resource "*"`, e.node.text, s.verb())
	default:
		c.add(ActionResourceMismatch, s.severity(never), e.node, nil,
			"%s acts on %s, which none of the statement's resources is", e.node.text, forms(e.covers))
	}
}

// forms words what actions act on.
func forms(actions []*action) string {
	var out []string
	for _, a := range actions {
		for _, r := range a.Resources {
			for _, t := range catalog.ResourceTypes(a.Service()) {
				if t.Name == r && !slices.Contains(out, t.ARN) && len(out) < 4 {
					out = append(out, t.ARN)
				}
			}
		}
	}
	return strings.Join(out, " or ")
}

// checkNeverUsed: a resource that no action acts on, while others are acted on. Where
// none is, the actions have been told already.
func (c *checker) checkNeverUsed(s *statement, acted []bool) {
	known := slices.ContainsFunc(acted, func(b bool) bool { return b })
	foreign := slices.ContainsFunc(s.actions, func(a actionEntry) bool { return len(a.covers) == 0 || a.odd })
	for i := range s.resources {
		r := &s.resources[i]
		if !known || foreign || acted[i] || r.arn.parts == nil {
			continue
		}
		c.add(ResourceNeverUsed, Warning, r.node, mend("take it out", removeItem(r.node)...),
			"none of the statement's actions acts on %s", r.node.text)
	}
}

// checkResource checks one ARN pattern by itself.
func (c *checker) checkResource(s *statement, r *resourceEntry) {
	c.checkVariables(r.node)
	switch {
	case r.arn.every:
		return
	case r.arn.parts == nil:
		if !strings.Contains(r.arn.source, "${") {
			c.add(MissingARNField, Warning, r.node, nil,
				"the ARN has fewer than six parts; what a * in it matches is contested: write arn:partition:service:region:account:resource")
		}
		return
	case r.arn.early:
		c.add(VariableInARNHead, Warning, r.node, nil,
			"a variable counts after the fifth colon only; whether this ARN matches is contested")
		return
	}
	e := never
	if s.notResource {
		e = always
	}
	severity := s.severity(e)
	c.checkPlace(severity, r)
	c.checkRepositories(severity, r)
}

// checkPlace compares partition, region and account with where the document is for,
// and with the ARN forms of the service.
func (c *checker) checkPlace(severity Severity, r *resourceEntry) {
	service, region, account := r.arn.texts[1], r.arn.texts[2], r.arn.texts[3]
	forms := formsIn(service)
	if forms == nil {
		if near := c.nearestService(service); near != "" {
			better := strings.Replace(r.arn.source, ":"+service+":", ":"+near+":", 1)
			c.add(UnknownService, severity, r.node, c.respell(r.node, r.arn.source, better), "there is no service %q", service)
		}
		return
	}
	c.checkPart(ARNPartitionMismatch, severity, r, 0, c.opt.Partition)
	if has := hasPart(forms, 2); !has && region != "" {
		return // IAM refuses or never matches it; told as a mismatch with the actions
	} else if has && region == "" {
		c.missingPart(MissingARNRegion, severity, r, 2, c.opt.Region)
	} else if has {
		c.checkPart(ARNRegionMismatch, severity, r, 2, c.opt.Region)
	}
	switch has := hasPart(forms, 3); {
	case has && account == "":
		c.missingPart(MissingARNAccount, severity, r, 3, c.opt.Account)
	case strings.ContainsAny(account, "*?$") || len(account) == 12 && strings.Trim(account, "0123456789") == "":
		c.checkPart(ARNAccountMismatch, severity, r, 3, c.opt.Account)
	case slices.ContainsFunc(forms, func(f arnGlob) bool { return f.parts[3].literal() && f.texts[3] == account }):
	default:
		c.add(InvalidARNAccount, severity, r.node, c.setPart(r, 3, c.opt.Account),
			"%q is not an account: it has 12 digits", account)
	}
}

func formsIn(service string) []arnGlob {
	var out []arnGlob
	for _, t := range catalog.ResourceTypes(service) {
		if t.Service == service {
			out = append(out, typeForms()[service+" "+t.Name]...)
		}
	}
	return out
}

// hasPart reports whether resources of the forms have a part.
func hasPart(forms []arnGlob, i int) bool {
	return slices.ContainsFunc(forms, func(f arnGlob) bool { return len(f.parts[i]) > 0 })
}

// partNames are the parts of an ARN after the word arn.
var partNames = [...]string{"partition", "service", "region", "account", "resource"}

// checkPart compares one part of the pattern with what it is here.
func (c *checker) checkPart(code Code, severity Severity, r *resourceEntry, i int, here string) {
	if here == "" || r.arn.texts[i] == here || r.arn.parts[i].meets(c.globs.compile(here, syntax{})) {
		return
	}
	c.add(code, severity, r.node, c.setPart(r, i, here),
		"the ARN is of %s %q; here it is %q, so that it matches nothing", partNames[i], r.arn.texts[i], here)
}

func (c *checker) missingPart(code Code, severity Severity, r *resourceEntry, i int, here string) {
	if here == "" {
		here = "*"
	}
	c.add(code, severity, r.node, c.setPart(r, i, here),
		"the %s of the ARN is empty, which matches only an empty one: resources of %s have one", partNames[i], r.arn.texts[1])
}

// setPart offers the ARN with one part replaced.
func (c *checker) setPart(r *resourceEntry, i int, text string) *Mend {
	if text == "" {
		return nil
	}
	parts := slices.Clone(r.arn.texts)
	parts[i] = text
	better := "arn:" + strings.Join(parts, ":")
	return mend("write "+better, replaceValue(r.node, better))
}
