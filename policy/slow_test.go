package policy

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/refward/refward/arn"
)

// This file is a second evaluator, slow and obvious, from the text of the
// documentation: it works on the Document, knows no index, no compiled pattern and no
// short cut, and compares with regular expressions, big rationals and time.Time.
// A property test holds the two against each other.

type slowRequest struct {
	action, resource string
	keys             map[string][]string // lower case
	caller           *Caller
}

func slowRequestOf(r *Request, c *Caller) slowRequest {
	s := slowRequest{action: r.Action, resource: r.Resource, keys: map[string][]string{}, caller: c}
	for k, v := range r.Context.All() {
		s.keys[strings.ToLower(k)] = v
	}
	return s
}

// slowGrant is whom an attached policy lets in, after the table of "Policy evaluation for
// requests within a single account": the more directly, the less else has to allow.
type slowGrant int

const (
	toNobody  slowGrant = iota
	toAccount           // the identity policies have to allow as well
	toRole              // a boundary and a session policy have to allow as well
	toCaller            // nothing else has to
)

// slowSays is what the policies of one layer say.
type slowSays struct {
	denies bool
	grant  slowGrant
}

func (s slowSays) allows() bool { return s.grant != toNobody }

func slowAsk(policies []*Policy, r slowRequest) (says slowSays) {
	for _, p := range policies {
		for i := range p.document.Statements {
			st := &p.document.Statements[i]
			t, grant := slowStatement(p, st, r)
			switch {
			case !t.applies(st.Effect):
			case st.Effect == Deny:
				says.denies = true
			default:
				says.grant = max(says.grant, grant)
			}
		}
	}
	return says
}

// slowDecide is the flow chart of "Policy evaluation logic" within one account. An
// attached policy is a resource's, or the trust policy of the role that is asked for: of
// those "How IAM roles differ from resource-based policies" says that one has to allow.
func slowDecide(s *Situation, attached *Policy, r slowRequest) Outcome {
	if s == nil {
		s = &Situation{}
	}
	var says []slowSays
	inOrganization := true
	for _, level := range s.SCPs {
		l := slowAsk(level, r)
		says, inOrganization = append(says, l), inOrganization && l.allows()
	}
	identity, boundary, session := slowAsk(s.Identity, r), slowAsk(s.Boundary, r), slowAsk(s.Session, r)
	var resource slowSays
	if attached != nil {
		resource = slowAsk([]*Policy{attached}, r)
	}
	for _, l := range append(says, identity, boundary, session, resource) {
		if l.denies {
			return ExplicitDeny
		}
	}
	inBounds := (s.Boundary == nil || boundary.allows()) && (s.Session == nil || session.allows())
	trusted := attached == nil || attached.kind != Trust || resource.allows()
	granted := false
	switch resource.grant {
	case toCaller:
		granted = true
	case toRole:
		granted = inBounds
	default:
		granted = inBounds && identity.allows()
	}
	if inOrganization && trusted && granted {
		return Allow
	}
	return ImplicitDeny
}

func slowStatement(p *Policy, st *Statement, r slowRequest) (truth, slowGrant) {
	vars := p.document.Version == "2012-10-17"
	t, grant := slowPrincipals(p, st, r)
	t = min(t, slowAction(st, r))
	if p.kind != Trust { // whose resource is the role
		t = min(t, slowResource(st, r, vars))
	}
	for i := range st.Conditions {
		t = min(t, slowCondition(&st.Conditions[i], r, vars))
	}
	return t, grant
}

// slowPrincipals answers for Principal and NotPrincipal. What NotPrincipal spares has to
// be listed with its account; one of the two alone is contested.
func slowPrincipals(p *Policy, st *Statement, r slowRequest) (truth, slowGrant) {
	if p.kind != Trust && p.kind != Resource {
		return yes, toCaller
	}
	listed := map[slowGrant]bool{}
	for _, one := range st.Principals {
		listed[slowPrincipal(one, r.caller)] = true
	}
	closely := listed[toRole] || listed[toCaller]
	switch {
	case !st.NotPrincipal && listed[toCaller]:
		return yes, toCaller
	case !st.NotPrincipal && listed[toRole]:
		return yes, toRole
	case !st.NotPrincipal && listed[toAccount]:
		return yes, toAccount
	case !st.NotPrincipal, closely && listed[toAccount]:
		return no, toNobody
	case closely || listed[toAccount]:
		return unsure, toCaller
	}
	return yes, toCaller
}

var slowAccount = regexp.MustCompile(`^(?:arn:[^:]*:iam::)?([0-9]{12})(?::root)?$`)

// slowPrincipal is the page "AWS JSON policy elements: Principal".
func slowPrincipal(p Principal, c *Caller) slowGrant {
	if m := slowAccount.FindStringSubmatch(p.Name); m != nil && p.Type == "AWS" { // never one caller
		if m[1] == c.Account {
			return toAccount
		}
		return toNobody
	}
	id, session, isSession := strings.Cut(c.UserID, ":")
	isSession = isSession && session != ""
	switch p.Type + " " + p.Name {
	case "* *", "AWS *":
		return toCaller
	case "Service " + c.Service:
		return toCaller
	case "Federated " + c.Federated:
		return toCaller
	case "AWS " + c.ARN:
		return toCaller
	case "AWS " + c.Role:
		return toRole
	}
	switch {
	case p.Type == "Federated" && p.Name == "*" && c.Federated != "":
		return toCaller
	case p.Type != "AWS" || c.Account == "":
		return toNobody
	case p.Name == id && isSession:
		return toRole
	case p.Name == id:
		return toCaller
	}
	return toNobody
}

func slowAction(st *Statement, r slowRequest) truth {
	t := no
	for _, a := range st.Actions {
		one := truthOf(a == "*" || slowGlob(strings.ToLower(a), strings.ToLower(r.action)))
		vendor, _, _ := strings.Cut(a, ":")
		if a != "*" && a != "*:*" && strings.ContainsAny(vendor, "*?") {
			one = min(one, unsure)
		}
		t = max(t, one)
	}
	if st.NotAction {
		return t.not()
	}
	return t
}

// slowRegexp compiles each expression once: the words of the generators are few, and
// compiling is nearly all that this evaluator would do.
func slowRegexp(expression string) *regexp.Regexp {
	if re, ok := slowCompiled.Load(expression); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(expression)
	slowCompiled.Store(expression, re)
	return re
}

var slowCompiled sync.Map // of expression to *regexp.Regexp

func slowGlob(pattern, text string) bool {
	re := regexp.QuoteMeta(pattern)
	re = strings.ReplaceAll(re, `\*`, `.*`)
	re = strings.ReplaceAll(re, `\?`, `.`)
	return slowRegexp(`(?s)^` + re + `$`).MatchString(text)
}

var slowVariable = regexp.MustCompile(`\$\{(?:([*?$])|([^},]+)(?:, *'(.*?)')?)\}`)

// slowExpand turns a pattern into a regular expression. Variables and escapes are
// put in as quoted text.
func slowExpand(pattern string, r slowRequest, wild, vars bool) (re string, bound, hasVars bool) {
	bound = true
	quote := func(s string) string {
		s = regexp.QuoteMeta(s)
		if wild {
			s = strings.ReplaceAll(s, `\*`, `.*`)
			s = strings.ReplaceAll(s, `\?`, `.`)
		}
		return s
	}
	for vars {
		loc := slowVariable.FindStringSubmatchIndex(pattern)
		if loc == nil {
			break
		}
		group := func(i int) (string, bool) {
			if loc[2*i] < 0 {
				return "", false
			}
			return pattern[loc[2*i]:loc[2*i+1]], true
		}
		re += quote(pattern[:loc[0]])
		if escape, ok := group(1); ok {
			re += regexp.QuoteMeta(escape)
		} else {
			hasVars = true
			key, _ := group(2)
			def, hasDef := group(3)
			switch values := r.keys[strings.ToLower(strings.TrimSpace(key))]; {
			case len(values) == 1:
				re += regexp.QuoteMeta(values[0])
			case len(values) == 0 && hasDef:
				re += regexp.QuoteMeta(def)
			default:
				bound = false
			}
		}
		pattern = pattern[loc[1]:]
	}
	return re + quote(pattern), bound, hasVars
}

func slowMatch(re, text string) bool {
	return slowRegexp(`(?s)^` + re + `$`).MatchString(text)
}

func slowResource(st *Statement, r slowRequest, vars bool) truth {
	t := no
	for _, p := range st.Resources {
		t = max(t, slowResourceOne(p, st.NotResource, r, vars))
	}
	if st.NotResource {
		return t.not()
	}
	return t
}

func slowResourceOne(p string, not bool, r slowRequest, vars bool) truth {
	if p == "*" {
		return yes
	}
	whole, bound, _ := slowExpand(p, r, true, vars)
	if not && !bound {
		return unsure
	}
	name := strings.SplitN(r.resource, ":", 6)
	if len(name) < 6 || name[0] != "arn" || !bound {
		return no
	}
	parts := arn.SplitPattern(p)
	if !vars {
		parts = splitPlain(p)
	}
	early := false
	for i := range 6 {
		re, _, hasVars := slowExpand(parts[i], r, true, vars)
		early = early || hasVars && i < 5
		if slowMatch(re, name[i]) {
			continue
		}
		if strings.Join(parts, ":") != p && !strings.HasSuffix(p, "*") {
			return min(unsure, truthOf(slowMatch(whole, r.resource)))
		}
		return no
	}
	if early {
		return unsure
	}
	return yes
}

func slowCondition(c *Condition, r slowRequest, vars bool) truth {
	name, set, ifExists := c.Operator, "", false
	for _, q := range []string{"ForAllValues:", "ForAnyValue:"} {
		if len(name) >= len(q) && strings.EqualFold(name[:len(q)], q) {
			set, name = q, name[len(q):]
		}
	}
	if n := len(name) - len("IfExists"); n > 0 && strings.EqualFold(name[n:], "IfExists") {
		ifExists, name = true, name[:n]
	}
	op, ok := slowOperators[strings.ToLower(name)]
	if !ok {
		panic(name)
	}
	values := r.keys[strings.ToLower(c.Key)]
	t := slowQuantified(op, c, set, ifExists, values, r, vars)
	documented := strings.ReplaceAll(strings.ReplaceAll(c.Operator, op.name, ""), "IfExists", "")
	if documented != set {
		t = min(t, unsure)
	}
	return t
}

func slowQuantified(op slowOperator, c *Condition, set string, ifExists bool, values []string, r slowRequest, vars bool) truth {
	if op.name == "Null" {
		return slowNull(c, set, values)
	}
	negated := strings.Contains(op.name, "Not")
	one := func(v string) truth {
		if len(c.Values) == 0 {
			return no
		}
		t := no
		for _, w := range c.Values {
			t = max(t, op.compare(slowPair{w, v, negated, r, vars, op.name}))
		}
		if negated {
			t = t.not()
		}
		return t
	}
	lowest, highest := yes, no
	for _, v := range values {
		lowest, highest = min(lowest, one(v)), max(highest, one(v))
	}
	empty := len(values) == 1 && values[0] == ""
	switch {
	case set == "ForAllValues:" && len(values) > 0 && len(c.Values) == 0:
		return no
	case set == "ForAllValues:" && empty:
		return max(lowest, unsure)
	case set == "ForAllValues:":
		return lowest
	case set == "ForAnyValue:" && ifExists && len(values) == 0:
		return unsure
	case set == "ForAnyValue:" && empty:
		return min(highest, unsure)
	case set == "ForAnyValue:":
		return highest
	case len(values) == 0 && ifExists:
		return yes
	case len(c.Values) == 0 && ifExists:
		return no
	case len(c.Values) == 0:
		return unsure
	case len(values) == 0:
		return truthOf(negated)
	case len(values) > 1:
		return min(highest, unsure)
	}
	return highest
}

func slowNull(c *Condition, set string, values []string) truth {
	if set != "" {
		return truthOf(set == "ForAllValues:")
	}
	if len(c.Values) == 0 {
		return unsure
	}
	missing := truthOf(len(values) == 0)
	if len(values) == 1 && values[0] == "" {
		missing = unsure
	}
	t := no
	both := map[string]bool{}
	for _, w := range c.Values {
		both[w] = true
		one := unsure
		switch strings.ToLower(w) {
		case "true":
			one = missing
		case "false":
			one = missing.not()
		}
		if w != "true" && w != "false" {
			one = min(one, unsure)
		}
		t = max(t, one)
	}
	if both["true"] && both["false"] {
		return yes
	}
	return t
}

type slowPair struct {
	want, have string
	negated    bool
	r          slowRequest
	vars       bool
	name       string
}

// unparsed is the answer for a text that is not of the operator's type.
func (p slowPair) unparsed() truth {
	if p.negated {
		return unsure
	}
	return no
}

type slowOperator struct {
	name    string
	compare func(slowPair) truth
}

var slowOperators = slowTable()

func slowTable() map[string]slowOperator {
	compare := map[string]func(slowPair) truth{
		"String": slowString, "Numeric": slowNumber, "Date": slowDate, "Arn": slowARN,
		"Bool": slowBool, "Binary": slowBinary, "Ip": slowIP, "NotIp": slowIP,
	}
	out := map[string]slowOperator{"null": {name: "Null"}}
	for _, row := range operatorTable {
		for prefix, f := range compare {
			if strings.HasPrefix(row.name, prefix) {
				out[strings.ToLower(row.name)] = slowOperator{row.name, f}
			}
		}
	}
	return out
}

func slowString(p slowPair) truth {
	re, bound, _ := slowExpand(p.want, p.r, strings.HasSuffix(p.name, "Like"), p.vars)
	if !bound {
		return no
	}
	if strings.HasSuffix(p.name, "IgnoreCase") {
		re = `(?i)` + re
	}
	return truthOf(slowRegexp(`^(?s)(?:` + re + `)$`).MatchString(p.have))
}

func slowOrder(name string, c int) truth {
	switch {
	case strings.HasSuffix(name, "LessThan"):
		return truthOf(c < 0)
	case strings.HasSuffix(name, "LessThanEquals"):
		return truthOf(c <= 0)
	case strings.HasSuffix(name, "GreaterThan"):
		return truthOf(c > 0)
	case strings.HasSuffix(name, "GreaterThanEquals"):
		return truthOf(c >= 0)
	}
	return truthOf(c == 0)
}

var slowNumberForm = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

func slowNumber(p slowPair) truth {
	var a, b big.Rat
	if !slowNumberForm.MatchString(p.have) || !slowNumberForm.MatchString(p.want) {
		return p.unparsed()
	}
	a.SetString(p.have)
	b.SetString(p.want)
	return slowOrder(p.name, a.Cmp(&b))
}

var slowSeconds = regexp.MustCompile(`^-?[0-9]{1,16}(\.[0-9]+)?$`)

// slowTime returns seconds since 1970; it knows the forms that the property test makes.
func slowTime(s string) (*big.Rat, bool) {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return big.NewRat(t.Unix(), 1), true
		}
	}
	if !slowSeconds.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func slowDate(p slowPair) truth {
	a, ok := slowTime(p.have)
	b, ok2 := slowTime(p.want)
	if !ok || !ok2 {
		return p.unparsed()
	}
	return slowOrder(p.name, a.Cmp(b))
}

func slowBool(p slowPair) truth {
	re, bound, hasVars := slowExpand(p.want, p.r, false, p.vars)
	isBool := strings.EqualFold(p.have, "true") || strings.EqualFold(p.have, "false")
	if !bound || !isBool || !slowMatch(`(?i)`+re, p.have) {
		return no
	}
	if hasVars || !slowMatch(re, p.have) || strings.ToLower(p.have) != p.have {
		return unsure
	}
	return yes
}

func slowBinary(p slowPair) truth {
	a, err := base64.StdEncoding.DecodeString(p.have)
	b, err2 := base64.StdEncoding.DecodeString(p.want)
	if err != nil || err2 != nil {
		return p.unparsed()
	}
	return truthOf(string(a) == string(b))
}

func slowIP(p slowPair) truth {
	a, err := netip.ParseAddr(p.have)
	want := p.want
	if !strings.Contains(want, "/") {
		if strings.Contains(want, ":") {
			want += "/128"
		} else {
			want += "/32"
		}
	}
	n, err2 := netip.ParsePrefix(want)
	if err != nil || err2 != nil {
		return p.unparsed()
	}
	return truthOf(n.Contains(a))
}

func slowARN(p slowPair) truth {
	name := strings.SplitN(p.have, ":", 6)
	if len(name) < 6 || name[0] != "arn" {
		return p.unparsed()
	}
	whole, bound, hasVars := slowExpand(p.want, p.r, true, p.vars)
	if !bound || p.want == "*" {
		return no
	}
	parts := arn.SplitPattern(p.want)
	if len(parts) < 6 || strings.Join(parts, ":") != p.want {
		if !hasVars || strings.HasSuffix(p.want, "*") {
			return no
		}
		return min(unsure, truthOf(slowMatch(whole, p.have)))
	}
	odd := false
	for i := range 6 {
		re, _, v := slowExpand(parts[i], p.r, true, p.vars)
		odd = odd || v && (i < 5 || strings.Contains(name[5], ":"))
		if !slowMatch(re, name[i]) {
			return no
		}
	}
	if odd {
		return unsure
	}
	return yes
}
