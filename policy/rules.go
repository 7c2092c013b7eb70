package policy

import (
	"fmt"
	"strings"

	"github.com/refward/refward/arn"
)

// rule checks something about a document of the right shape.
type rule func(*tree, Kind, []rawStatement) *SyntaxError

// rules in the order in which AWS applies them, as recorded; the first breach is the
// answer.
var rules = [...]rule{
	checkVersionOf,
	checkPrincipalPresence,
	checkLegacy,
	checkSids,
	checkActionPresence,
	checkResourceSyntax,
	checkActionPrefixes,
	checkResourcePresence,
	checkResources,
	checkPrincipalNames,
}

// checkVersionOf: a managed policy has to be of the new version.
func checkVersionOf(t *tree, kind Kind, _ []rawStatement) *SyntaxError {
	if kind != Managed && kind != Boundary {
		return nil
	}
	v := t.root.get("Version")
	if v == nil {
		return t.fail(&t.root, msgVersion, "the element Version is missing")
	}
	if v.text != version2012 {
		return t.fail(v, msgVersion, "Version is %q", v.text)
	}
	return nil
}

// checkPrincipalPresence: trust and resource policies say to whom they speak, no
// other does.
func checkPrincipalPresence(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	for i := range raws {
		raw := &raws[i]
		present := raw.principal
		if present == nil {
			present = raw.notPrincipal
		}
		switch {
		case kind == Trust && raw.notPrincipal != nil:
			return t.fail(raw.notPrincipal, msgNotPrincipal, "statement %d", i+1)
		case (kind == Trust || kind == Resource) && (present == nil || empty(present)):
			return t.fail(raw.node, msgNoPrincipal, "statement %d names no principal", i+1)
		case kind != Trust && kind != Resource && present != nil:
			return t.fail(present, msgPrincipal, "statement %d: the principal is whoever the policy is attached to", i+1)
		}
	}
	return nil
}

// empty reports whether an element lists nothing.
func empty(n *node) bool {
	if n.kind == objectNode {
		for i := range n.members {
			if !empty(&n.members[i].value) {
				return false
			}
		}
		return true
	}
	return n.kind == arrayNode && len(n.members) == 0
}

// checkLegacy holds what the older of AWS's two parsers refuses.
func checkLegacy(t *tree, _ Kind, raws []rawStatement) *SyntaxError {
	for i := range raws {
		raw := &raws[i]
		if e := raw.effect; e.text != "Allow" && e.text != "Deny" {
			return t.fail(e, msgLegacy, "Effect is %q; its case counts", e.text)
		}
		for j := range raw.resources().leaves() {
			n := raw.resources().leaf(j)
			colons := strings.Count(n.text, ":")
			if emptyService(n.text) || colons < 5 && strings.Contains(n.text, "::") {
				return t.fail(n, msgLegacy, "%q is an ARN with an empty part too early", n.text)
			}
		}
		if failed := t.checkDates(raw.condition); failed != nil {
			return failed
		}
	}
	return nil
}

// actions is the statement's Action or NotAction; the grammar lets it have one at most.
func (raw *rawStatement) actions() *node {
	if raw.action != nil {
		return raw.action
	}
	return raw.notAction
}

// resources is the statement's Resource or NotResource.
func (raw *rawStatement) resources() *node {
	if raw.resource != nil {
		return raw.resource
	}
	return raw.notResource
}

// emptyService reports whether an ARN's third part is there and empty.
func emptyService(text string) bool {
	_, rest, _ := strings.Cut(text, ":")
	_, rest, _ = strings.Cut(rest, ":")
	return strings.HasPrefix(rest, ":")
}

func (t *tree) checkDates(condition *node) *SyntaxError {
	if condition == nil {
		return nil
	}
	for i := range condition.members {
		m := &condition.members[i]
		if op, ok := parseOperator(m.name); !ok || op.family != DateFamily {
			continue
		}
		for j := range m.value.members {
			values := &m.value.members[j].value
			for k := range values.leaves() {
				n := values.leaf(k)
				if _, ok := parseInstant(n.text); !ok {
					return t.fail(n, msgLegacy, "%q is not a date of ISO 8601 or seconds since 1970", n.text)
				}
			}
		}
	}
	return nil
}

func checkSids(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	seen := make(map[string]bool, len(raws))
	for i := range raws {
		n := raws[i].sid
		if n == nil || n.text == "" {
			continue
		}
		if seen[n.text] {
			return t.fail(n, msgSidUnique, "%q was used before", n.text)
		}
		seen[n.text] = true
	}
	if kind == Resource {
		return nil // services differ; many take blanks
	}
	for i := range raws {
		if n := raws[i].sid; n != nil && !alphanumeric(n.text) {
			return t.fail(n, msgSidText, "%q", n.text)
		}
	}
	return nil
}

func alphanumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := lower(s[i]); (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func checkActionPresence(t *tree, _ Kind, raws []rawStatement) *SyntaxError {
	for i := range raws {
		if raws[i].actions().leaves() == 0 {
			return t.fail(raws[i].node, msgNoActions, "statement %d", i+1)
		}
	}
	return nil
}

// checkResourceSyntax: * or text that begins like an ARN.
func checkResourceSyntax(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	for i := range raws {
		raw := &raws[i]
		if kind == Trust {
			name, n := "Resource", raw.resource
			if n == nil {
				name, n = "NotResource", raw.notResource
			}
			if n != nil {
				return t.fail(n, fmt.Sprintf(msgProhibited, name), "the resource of a trust policy is the role it belongs to")
			}
			continue
		}
		for j := range raw.resources().leaves() {
			if n := raw.resources().leaf(j); n.text != "*" && !strings.HasPrefix(n.text, "arn:") {
				return t.fail(n, fmt.Sprintf(msgNotARN, n.text), "statement %d", i+1)
			}
		}
	}
	return nil
}

func checkActionPrefixes(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	for i := range raws {
		for j := range raws[i].actions().leaves() {
			n := raws[i].actions().leaf(j)
			if message := badAction(n.text); message != "" {
				return t.fail(n, message, "%q is not service:Name", n.text)
			}
			if _, ok, _ := cutFoldPrefix(n.text, "sts:"); kind == Trust && !ok {
				return t.fail(n, msgTrustNotSTS, "%q is not an action of sts", n.text)
			}
		}
	}
	return nil
}

// badAction returns AWS's message for an action's text, "" when it is well formed. A
// wildcard in a part of the prefix is let through: sources disagree on whether AWS
// takes it, and evaluation chooses the reading that denies more.
func badAction(action string) string {
	if action == "*" {
		return ""
	}
	vendor, _, found := strings.Cut(action, ":")
	switch {
	case !found || vendor == "":
		return msgNoVendor
	case strings.Count(action, ":") > 1:
		return msgColons
	}
	for i := 0; i < len(vendor); i++ {
		if c := vendor[i]; !alphanumeric(vendor[i:i+1]) && strings.IndexByte("-.*?", c) < 0 {
			return fmt.Sprintf(msgVendor, vendor)
		}
	}
	return ""
}

func checkResourcePresence(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	if kind == Trust {
		return nil
	}
	for i := range raws {
		if raws[i].resources().leaves() == 0 {
			return t.fail(raws[i].node, msgNoResources, "statement %d", i+1)
		}
	}
	return nil
}

// partitions that AWS has, or had.
var partitions = [...]string{
	"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*",
}

// iamTypes are what the resource part of an IAM ARN may begin with.
var iamTypes = [...]string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// checkResources: partition, service, and what IAM's own ARNs look like.
func checkResources(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	if kind == Trust {
		return nil
	}
	for i := range raws {
		for j := range raws[i].resources().leaves() {
			n := raws[i].resources().leaf(j)
			if message := badResource(n.text); message != "" {
				return t.fail(n, message, "statement %d, resource %q", i+1, n.text)
			}
		}
	}
	return nil
}

// badResource returns AWS's message for a resource's text, "" when it is well formed.
func badResource(resource string) string {
	if resource == "*" {
		return ""
	}
	parts := arn.SplitPattern(resource)
	for _, known := range partitions {
		if parts[1] == known {
			return badService(resource, parts)
		}
	}
	return fmt.Sprintf(msgPartition, parts[1], strings.Join(parts, ":"))
}

func badService(resource string, parts []string) string {
	if parts[2] == "" || strings.ContainsAny(parts[2], "*?") {
		return msgResourceVendor
	}
	if parts[2] != "iam" {
		return ""
	}
	if parts[3] != "" {
		return fmt.Sprintf(msgIAMRegion, resource)
	}
	if parts[5] == "*" {
		return ""
	}
	for _, typ := range iamTypes {
		if strings.HasPrefix(parts[5], typ) {
			return ""
		}
	}
	return msgIAMType
}

// checkPrincipalNames: accounts and full names only, no wildcard inside one.
func checkPrincipalNames(t *tree, kind Kind, raws []rawStatement) *SyntaxError {
	for i := range raws {
		for _, n := range [...]*node{raws[i].principal, raws[i].notPrincipal} {
			if n == nil || n.kind != objectNode {
				continue
			}
			for j := range n.members {
				m := &n.members[j]
				for k := range m.value.leaves() {
					leaf := m.value.leaf(k)
					if !validPrincipal(m.name, leaf.text) {
						return t.fail(leaf, fmt.Sprintf(msgTrustPrincipal, m.name, leaf.text), "no such form of principal")
					}
				}
			}
		}
	}
	return nil
}

func validPrincipal(typ, text string) bool {
	if text == "*" {
		return typ == "AWS" || typ == "Federated"
	}
	if text == "" || strings.ContainsAny(text, "*?") {
		return false
	}
	if typ != "AWS" {
		return true
	}
	if isAccount(text) || isUniqueID(text) {
		return true
	}
	a, err := arn.Parse(text)
	if err != nil || a.Region != "" || !isAccount(a.Account) {
		return false
	}
	kinds := []string{"user/", "role/"}
	if a.Service == "sts" {
		kinds = []string{"assumed-role/", "federated-user/"}
	} else if a.Service != "iam" {
		return false
	}
	for _, k := range kinds {
		if len(a.Resource) > len(k) && strings.HasPrefix(a.Resource, k) {
			return true
		}
	}
	return a.Service == "iam" && a.Resource == "root"
}

func isAccount(s string) bool { return len(s) == 12 && allDigits(s) }

// isUniqueID recognizes what a user or role ARN of a trust policy becomes when the
// user or role is gone.
func isUniqueID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")) && alphanumeric(s)
}
