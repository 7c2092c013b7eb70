package policy

import "strings"

// rawStatement is a statement whose shape is right, with the place of every element.
// An element that the statement lacks is nil.
type rawStatement struct {
	node                    *node
	sid, effect             *node
	principal, notPrincipal *node
	action, notAction       *node
	resource, notResource   *node
	condition               *node
}

// grammar checks the shape of the document: which elements there are and of which
// JSON type. Every breach is the same message.
func (t *tree) grammar(kind Kind) ([]rawStatement, string, *SyntaxError) {
	if t.root.kind != objectNode {
		return nil, "", t.fail(&t.root, msgSyntax, "a policy is an object, not %s", t.root.kind)
	}
	version := ""
	var statement *node
	for i := range t.root.members {
		m := &t.root.members[i]
		var failed *SyntaxError
		switch m.name {
		case "Version":
			version, failed = m.value.text, t.checkVersion(&m.value)
		case "Id":
			failed = t.checkID(kind, &m.value)
		case "Statement":
			statement = &m.value
		default:
			failed = t.fail(&m.value, msgSyntax, "a policy has no element %q", m.name)
		}
		if failed != nil {
			return nil, "", failed
		}
	}
	if statement == nil {
		return nil, "", t.fail(&t.root, msgSyntax, "the element Statement is missing")
	}
	raws, failed := t.statements(statement)
	return raws, version, failed
}

func (t *tree) checkVersion(n *node) *SyntaxError {
	if n.kind != stringNode || n.text != version2008 && n.text != version2012 {
		return t.fail(n, msgSyntax, "Version is %q or %q", version2012, version2008)
	}
	return nil
}

func (t *tree) checkID(kind Kind, n *node) *SyntaxError {
	if kind != Resource && kind != Trust {
		return t.fail(n, msgSyntax, "%s has no Id", article(kind.String()))
	}
	if n.kind != stringNode {
		return t.fail(n, msgSyntax, "Id is a string, not %s", n.kind)
	}
	return nil
}

func (t *tree) statements(n *node) ([]rawStatement, *SyntaxError) {
	list := n.members
	switch {
	case n.kind == objectNode:
		raw, failed := t.rawStatement(n)
		return []rawStatement{raw}, failed
	case n.kind != arrayNode:
		return nil, t.fail(n, msgSyntax, "Statement is an object or an array of objects, not %s", n.kind)
	case len(list) == 0:
		return nil, t.fail(n, msgSyntax, "Statement is empty")
	}
	raws := make([]rawStatement, len(list))
	for i := range list {
		var failed *SyntaxError
		if raws[i], failed = t.rawStatement(&list[i].value); failed != nil {
			return nil, failed
		}
	}
	return raws, nil
}

func (t *tree) rawStatement(n *node) (rawStatement, *SyntaxError) {
	raw := rawStatement{node: n}
	if n.kind != objectNode {
		return raw, t.fail(n, msgSyntax, "a statement is an object, not %s", n.kind)
	}
	for i := range n.members {
		v := &n.members[i].value
		var failed *SyntaxError
		switch element := n.members[i].name; element {
		case "Sid":
			raw.sid, failed = v, t.checkString(v, element)
		case "Effect":
			raw.effect, failed = v, t.checkEffect(v)
		case "Principal":
			raw.principal, failed = v, t.checkPrincipals(v, element)
		case "NotPrincipal":
			raw.notPrincipal, failed = v, t.checkPrincipals(v, element)
		case "Action":
			raw.action, failed = v, t.checkStrings(v, element)
		case "NotAction":
			raw.notAction, failed = v, t.checkStrings(v, element)
		case "Resource":
			raw.resource, failed = v, t.checkStrings(v, element)
		case "NotResource":
			raw.notResource, failed = v, t.checkStrings(v, element)
		case "Condition":
			raw.condition, failed = v, t.checkCondition(v)
		default:
			failed = t.fail(v, msgSyntax, "a statement has no element %q", element)
		}
		if failed != nil {
			return raw, failed
		}
	}
	return raw, t.checkTogether(&raw)
}

// checkTogether checks which elements a statement may have side by side.
func (t *tree) checkTogether(raw *rawStatement) *SyntaxError {
	switch {
	case raw.effect == nil:
		return t.fail(raw.node, msgSyntax, "the element Effect is missing")
	case raw.action != nil && raw.notAction != nil:
		return t.fail(raw.notAction, msgSyntax, "a statement has Action or NotAction, not both")
	case raw.resource != nil && raw.notResource != nil:
		return t.fail(raw.notResource, msgSyntax, "a statement has Resource or NotResource, not both")
	case raw.principal != nil && raw.notPrincipal != nil:
		return t.fail(raw.notPrincipal, msgSyntax, "a statement has Principal or NotPrincipal, not both")
	}
	return nil
}

func (t *tree) checkString(n *node, element string) *SyntaxError {
	if n.kind != stringNode {
		return t.fail(n, msgSyntax, "%s is a string, not %s", element, n.kind)
	}
	return nil
}

// checkStrings wants a string or an array of strings, which may be empty.
func (t *tree) checkStrings(n *node, element string) *SyntaxError {
	if n.kind == stringNode {
		return nil
	}
	if n.kind != arrayNode {
		return t.fail(n, msgSyntax, "%s is a string or an array of strings, not %s", element, n.kind)
	}
	for i := range n.members {
		if it := &n.members[i].value; it.kind != stringNode {
			return t.fail(it, msgSyntax, "%s is a list of strings and holds %s", element, it.kind)
		}
	}
	return nil
}

// checkEffect lets a wrong case pass: the legacy parser refuses it, with another
// message.
func (t *tree) checkEffect(n *node) *SyntaxError {
	if n.kind != stringNode || !foldEqual(n.text, "Allow") && !foldEqual(n.text, "Deny") {
		return t.fail(n, msgSyntax, `Effect is "Allow" or "Deny"`)
	}
	return nil
}

func (t *tree) checkPrincipals(n *node, element string) *SyntaxError {
	if n.kind == stringNode {
		if n.text != "*" {
			return t.fail(n, msgSyntax, `%s is "*" or an object such as {"AWS": "arn:…"}`, element)
		}
		return nil
	}
	if n.kind != objectNode {
		return t.fail(n, msgSyntax, `%s is "*" or an object, not %s`, element, n.kind)
	}
	for i := range n.members {
		m := &n.members[i]
		switch m.name {
		case "AWS", "Federated", "Service", "CanonicalUser":
		default:
			return t.fail(&m.value, msgSyntax, "%s has no type %q", element, m.name)
		}
		if failed := t.checkStrings(&m.value, element+" "+m.name); failed != nil {
			return failed
		}
	}
	return nil
}

// checkCondition wants operator -> key -> scalar or array of scalars. An unknown
// operator is harmless while its map is empty; AWS takes it.
func (t *tree) checkCondition(n *node) *SyntaxError {
	if n.kind != objectNode {
		return t.fail(n, msgSyntax, "Condition is an object, not %s", n.kind)
	}
	for i := range n.members {
		op := &n.members[i]
		if op.value.kind != objectNode {
			return t.fail(&op.value, msgSyntax, "%s holds an object of condition keys, not %s", op.name, op.value.kind)
		}
		if _, ok := parseOperator(op.name); !ok && len(op.value.members) > 0 {
			return t.fail(&op.value, msgSyntax, "there is no condition operator %q", op.name)
		}
		for j := range op.value.members {
			key := &op.value.members[j]
			if failed := t.checkScalars(&key.value, key.name); failed != nil {
				return failed
			}
		}
	}
	return nil
}

func (t *tree) checkScalars(n *node, key string) *SyntaxError {
	if n.scalar() {
		return nil
	}
	if n.kind != arrayNode {
		return t.fail(n, msgSyntax, "the value of %s is a string, a number, a boolean or an array of them, not %s", key, n.kind)
	}
	for i := range n.members {
		if it := &n.members[i].value; !it.scalar() {
			return t.fail(it, msgSyntax, "the list of %s holds %s", key, it.kind)
		}
	}
	return nil
}

func article(noun string) string {
	if strings.IndexByte("aeiou", noun[0]) >= 0 {
		return "an " + noun
	}
	return "a " + noun
}
