package validate

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/refward/refward/policy"
)

// mostErrors bounds how often a document is parsed again.
const mostErrors = 20

// checkSyntax reports every syntax error it can find and says whether the rest of the
// document can be checked. The parser of package policy stops at its first error, so
// what it points at is blanked, place for place, and the document parsed again. An
// error about something that a blanked part was in is a consequence and not told.
func (c *checker) checkSyntax() bool {
	text := []byte(c.text)
	kind := c.kind
	for range mostErrors {
		_, err := policy.Parse(policy.Source{}, kind, text)
		if err == nil {
			if c.root == nil {
				c.root = readTree(c.text)
			}
			return c.root != nil
		}
		failed, ok := errors.AsType[*policy.SyntaxError](err)
		if !ok {
			return false
		}
		off := min(c.lines.offset(policy.Position{Line: failed.Line, Column: failed.Column}), len(c.text))
		if c.root == nil && len(c.text) <= 4*policy.MaxDocument {
			c.root = readTree(c.text)
		}
		var n *node
		if c.root != nil {
			n = c.root.at(off)
		}
		if n == nil {
			c.addAt(JSONSyntaxError, Error, off, off, failed.Pointer, c.mendJSON(off), sentence(failed))
			return false
		}
		consequence := slices.ContainsFunc(c.removed, n.holds)
		if !consequence {
			c.addSyntax(n, off, failed)
		}
		managed := kind == policy.Managed || kind == policy.Boundary
		if managed && strings.HasPrefix(failed.Message, "Policy document must be version") {
			kind = policy.Identity // the same grammar without the rule
			if n == c.root {
				continue
			}
		}
		if n == c.root {
			return false
		}
		if consequence || !substitute(text, n) {
			blank(text, n)
		}
		c.removed = append(c.removed, n)
	}
	return false
}

// substitutes are what stands for a wrong text of an element, so that nothing else goes
// wrong because it is gone.
var substitutes = map[string]string{
	"Effect": `"Deny"`, "Action": `"*"`, "NotAction": `"*"`, "Resource": `"*"`, "NotResource": `"*"`,
}

// substitute puts something that parses in the place of a string.
func substitute(text []byte, n *node) bool {
	element := n
	if n.parent.kind == '[' {
		element = n.parent
	}
	s := substitutes[element.name]
	if n.kind != '"' || s == "" || n.end-n.start < len(s) {
		return false
	}
	for i := n.start; i < n.end; i++ {
		text[i] = ' '
	}
	copy(text[n.start:], s)
	return true
}

// blank takes a node out of the text: white space in its place, and in that of one
// comma beside it.
func blank(text []byte, n *node) {
	start := n.start
	if n.member() {
		start = n.nameStart
	}
	space := func(i int) {
		if text[i] != '\n' && text[i] != '\r' {
			text[i] = ' '
		}
	}
	for i := start; i < n.end; i++ {
		space(i)
	}
	isSpace := func(b byte) bool { return strings.IndexByte(" \t\r\n", b) >= 0 }
	i := n.end
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i == len(text) || text[i] != ',' {
		for i = start - 1; i > 0 && isSpace(text[i]); {
			i--
		}
	}
	if i >= 0 && text[i] == ',' {
		space(i)
	}
}

// sentence is AWS's message and what exactly is wrong, the one that says more first.
func sentence(e *policy.SyntaxError) string {
	switch e.Message {
	case "Syntax errors in policy.", "The policy failed legacy parsing", "This policy contains invalid Json":
		return e.Detail + " (IAM: " + e.Message + ")"
	default:
		return clip(e.Message) + " (" + e.Detail + ")"
	}
}

func (c *checker) addSyntax(n *node, off int, failed *policy.SyntaxError) {
	if n.member() && off == n.nameStart {
		c.addName(DuplicateName, Error, n, nil, "%s", sentence(failed))
		return
	}
	code := classify(n, failed.Message)
	report := c.add
	if code == InvalidPolicyElement || code == InvalidConditionOperator {
		report = c.addName // it is the name that is wrong
	}
	report(code, Error, n, c.mendSyntax(code, n), "%s", sentence(failed))
}

// messageCodes are the codes of AWS's messages that say by themselves what is wrong.
var messageCodes = [...]struct {
	part string
	code Code
}{
	{"must be unique", DuplicateSid},
	{"must be alpha-numeric", InvalidSid},
	{"must contain actions", MissingAction},
	{"must contain resources", MissingResource},
	{"must be version", InvalidVersion},
	{"must be prefaced by a vendor", InvalidAction},
	{"only one colon", InvalidAction},
	{"may only specify STS", InvalidAction},
	{"Invalid principal", InvalidPrincipal},
	{"Missing required field Principal", MissingPrincipal},
	{"Has prohibited field", UnsupportedElement},
	{"should not specify a principal", UnsupportedElement},
	{"must not contain NotPrincipal", UnsupportedElement},
	{`must be in ARN format`, InvalidARN},
	{"Partition ", InvalidARN},
	{"vendor must be fully qualified", InvalidARN},
	{"IAM resource ", InvalidARN},
	{"Vendor ", InvalidAction},
}

// classify gives an error its code: by its message, or where that says little by the
// place.
func classify(n *node, message string) Code {
	for i := range messageCodes {
		if strings.Contains(message, messageCodes[i].part) {
			return messageCodes[i].code
		}
	}
	switch {
	case n.parent == nil && n.kind == '{':
		return MissingStatement
	case n.parent == nil:
		return InvalidElementType
	case n.parent.parent == nil:
		return classifyTop(n)
	}
	// The path from the statement down.
	path := []*node{}
	for m := n; m.parent != nil; m = m.parent {
		path = append(path, m)
	}
	slices.Reverse(path)
	if path[0].kind == '[' {
		path = path[1:]
	}
	if len(path) == 1 {
		return classifyStatement(path[0])
	}
	return classifyElement(path[1:])
}

func classifyTop(n *node) Code {
	switch n.name {
	case "Version":
		return InvalidVersion
	case "Id":
		if n.kind == '"' {
			return UnsupportedElement
		}
		return InvalidElementType
	case "Statement":
		switch {
		case n.kind == '[' && len(n.children) == 0:
			return MissingStatement
		case n.kind == '{':
			return classifyStatement(n)
		}
		return InvalidElementType
	default:
		return InvalidPolicyElement
	}
}

func classifyStatement(n *node) Code {
	if n.kind == '{' {
		return MissingEffect
	}
	return InvalidElementType
}

func classifyElement(path []*node) Code {
	element, last := path[0], path[len(path)-1]
	plain, isNot := strings.CutPrefix(element.name, "Not")
	if isNot && len(path) == 1 && element.parent.get(plain) != nil {
		return UnsupportedElementCombination
	}
	switch element.name {
	case "Effect":
		return InvalidEffect
	case "Principal", "NotPrincipal":
		if len(path) > 1 || element.kind == '"' {
			return InvalidPrincipal
		}
	case "Condition":
		if len(path) == 2 && last.kind == '{' {
			return InvalidConditionOperator
		}
		if last.kind != '{' && last.kind != '[' && last.text != "null" {
			return InvalidDateValue
		}
		return InvalidElementType
	case "Action", "NotAction", "Resource", "NotResource":
		if last.kind == '"' && strings.HasSuffix(element.name, "Resource") {
			return InvalidARN // the legacy parser's
		}
	case "Sid":
	default:
		return InvalidPolicyElement
	}
	return InvalidElementType
}

var (
	topElements       = []string{"Version", "Id", "Statement"}
	statementElements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction",
		"Resource", "NotResource", "Condition"}
)

// mendSyntax offers the spelling that was meant.
func (c *checker) mendSyntax(code Code, n *node) *Mend {
	switch code {
	case InvalidPolicyElement:
		names := statementElements
		if n.parent == c.root {
			names = topElements
		}
		return respellName(n, nearest(n.name, slices.Values(names)))
	case InvalidConditionOperator:
		return respellName(n, nearestOperator(n.name))
	case InvalidEffect:
		if near := nearest(n.text, slices.Values([]string{"Allow", "Deny"})); near != "" {
			return mend("write "+near, replaceValue(n, near))
		}
	case InvalidVersion:
		return c.setVersion()
	}
	return nil
}

// mendJSON repairs the commas that people forget or leave behind.
func (c *checker) mendJSON(off int) *Mend {
	if off >= len(c.text) {
		return nil
	}
	before := strings.TrimRight(c.text[:off], " \t\r\n")
	switch b := c.text[off]; {
	case (b == '}' || b == ']') && strings.HasSuffix(before, ","):
		return c.mendWhole("take out the comma before it", Edit{len(before) - 1, len(before), ""})
	case json.Valid([]byte(before)):
		return nil // the text ends there: what follows is too much, and no comma helps
	case (b == '"' || b == '{') && before != "" && strings.IndexByte(`"}]el0123456789`, before[len(before)-1]) >= 0:
		return c.mendWhole("put a comma before it", Edit{len(before), len(before), ","})
	}
	return nil
}

// mendWhole mends a text that is not JSON. The edit goes with it when it makes a policy
// of the text: what else is wrong is not known before, and a comma may not have been all.
func (c *checker) mendWhole(text string, e Edit) *Mend {
	whole, err := Apply([]byte(c.text), []Edit{e})
	if err != nil {
		return nil
	}
	if _, err := policy.Parse(policy.Source{}, c.kind, whole); err != nil {
		return mend(text)
	}
	return mend(text, e)
}
