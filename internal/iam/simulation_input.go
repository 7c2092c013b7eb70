package iam

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

// simulationInput is what the inputs of SimulateCustomPolicy and SimulatePrincipalPolicy
// have in common.
type simulationInput struct {
	purpose             string // of the marker
	actions, resources  []string
	policies, boundary  []string
	context             []types.ContextEntry
	caller, owner       *string
	resourcePolicy      *string
	handling            *string
	excluded, organized bool // members that the host has nothing for
	maxItems            *int32
	marker              *string
}

// simulation reads the input: everything about it that is wrong by itself is refused.
func (s *Service) simulation(in simulationInput) (*simulation, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	if err := in.unsupported(); err != nil {
		return nil, err
	}
	m := &simulation{actions: in.actions, resources: in.resources}
	if len(m.resources) == 0 {
		m.resources = []string{"*"}
	}
	if n := len(m.actions) * len(m.resources); n > maxSimulatedPairs {
		return nil, errInvalidInput.New("%d actions on %d resources are %d simulations, more than %d.",
			len(m.actions), len(m.resources), n, maxSimulatedPairs)
	}
	for _, a := range m.actions {
		if err := knownAction(a); err != nil {
			return nil, err
		}
	}
	for _, r := range m.resources {
		if _, ok := arn.Cut(r); !ok && r != "*" {
			return nil, errInvalidInput.New("ResourceNames are not in a valid ARN format: %s.", r)
		}
	}
	var err error
	if m.given.Identity, err = parseInput("PolicyInputList", policy.Identity, in.policies); err != nil {
		return nil, err
	}
	if m.given.Boundary, err = parseInput("PermissionsBoundaryPolicyInputList", policy.Boundary, in.boundary); err != nil {
		return nil, err
	}
	if err := m.readContext(in.context); err != nil {
		return nil, err
	}
	// The marker says how many actions are done; it holds for the same actions alone.
	m.listing, err = s.listing(in.purpose+" "+strings.Join(in.actions, " "), in.maxItems, in.marker)
	if err != nil {
		return nil, err
	}
	if m.listing.after != "" {
		if m.done, err = strconv.Atoi(m.listing.after); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// constraints checks what the service model says of the members.
func (in *simulationInput) constraints() error {
	problems := slices.Concat(
		texts("actionNames", in.actions, actionNameType),
		texts("resourceArns", in.resources, resourceNameType),
		optional("callerArn", in.caller, resourceNameType),
		optional("resourceOwner", in.owner, resourceNameType),
		optional("resourceHandlingOption", in.handling, handlingOptionType),
	)
	if len(in.actions) == 0 {
		problems = append(problems, problem("actionNames", "not be null"))
	}
	for i, e := range in.context {
		member := "contextEntries." + strconv.Itoa(i+1) + ".member."
		problems = slices.Concat(problems, required(member+"contextKeyName", e.ContextKeyName, contextKeyNameType),
			oneOf(member+"contextKeyType", e.ContextKeyType, e.ContextKeyType.Values()...))
	}
	return invalid(problems)
}

// unsupported refuses what the host has nothing for: ignored, it would make the answer
// another question's.
func (in *simulationInput) unsupported() error {
	switch {
	case in.handling != nil:
		return errInvalidInput.New("ResourceHandlingOption names a scenario of Amazon EC2, which this host does not have.")
	case in.resourcePolicy != nil:
		return errInvalidInput.New("ResourcePolicy is not applicable: no resource of this host takes a policy of its own.")
	case in.excluded:
		return errInvalidInput.New("PolicyExclusionList is not supported.")
	case in.organized:
		return errInvalidInput.New("OrderedOrganizationPolicyInputList is not supported: the account is in no organization.")
	case len(in.boundary) > 1:
		return errInvalidInput.New("Only one permissions boundary can be given.")
	}
	if in.caller != nil {
		if _, err := parsePolicySource(*in.caller); err != nil {
			return err
		}
	}
	if in.owner != nil && !resourceOwner.MatchString(*in.owner) {
		return errInvalidInput.New("'%s' is not a valid Resource Owner: an account ID, or the ARN of its root.", *in.owner)
	}
	return nil
}

var (
	resourceOwner = regexp.MustCompile(`^([0-9]{12}|arn:[a-z-]+:iam::[0-9]{12}:root)$`)
	actionName    = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9]+$`)
)

// knownAction refuses what is no action: a slip of the pen would otherwise read as a
// denial. Of services that the host does not have, any name is one.
func knownAction(name string) error {
	prefix, _, _ := strings.Cut(name, ":")
	_, known := catalog.Lookup(name)
	switch {
	case !actionName.MatchString(name):
		return errInvalidInput.New("Invalid action name: %s is not a service's prefix, a colon and a name without wildcards.", name)
	case !known && len(catalog.Actions(prefix)) > 0:
		return errInvalidInput.New("Invalid action name: %s has no action %s.", strings.ToLower(prefix), name)
	}
	return nil
}

// parseInput parses the documents of a list. They are named as AWS names them.
func parseInput(member string, kind policy.Kind, documents []string) ([]*policy.Policy, error) {
	if len(documents) > maxPolicyInputCount {
		return nil, errInvalidInput.New("%s has %d documents, more than %d.", member, len(documents), maxPolicyInputCount)
	}
	var all []*policy.Policy
	size := 0
	for i, document := range documents {
		id := member + "." + strconv.Itoa(i+1)
		if err := invalid(required(lowerFirst(id), &document, policyDocumentType)); err != nil {
			return nil, err
		}
		if size += len(document); size > maxPolicyInput {
			return nil, errInvalidInput.New("The documents of %s have more than %d bytes together.", member, maxPolicyInput)
		}
		p, err := policy.Parse(policy.Source{Name: id}, kind, []byte(document))
		if err != nil {
			return nil, malformed(errInvalidInput, id, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// lowerFirst is a member's name as messages of the service's constraints spell it.
func lowerFirst(member string) string { return strings.ToLower(member[:1]) + member[1:] }

// readContext reads the context entries; they are all that conditions can look at.
func (m *simulation) readContext(entries []types.ContextEntry) error {
	if len(entries) > maxContextEntries {
		return errInvalidInput.New("There are %d context entries, more than %d.", len(entries), maxContextEntries)
	}
	size := 0
	for _, e := range entries {
		key := *e.ContextKeyName
		if m.named.Values(key) != nil {
			return errInvalidInput.New("The context key %s is given twice.", key)
		}
		m.named.Set(key, "given")
		kind, list := strings.CutSuffix(string(e.ContextKeyType), "List")
		if !list && len(e.ContextKeyValues) != 1 {
			return errInvalidInput.New("The context key %s has %d values; type %s has one, %sList any number.",
				key, len(e.ContextKeyValues), kind, kind)
		}
		size += len(key)
		for _, v := range e.ContextKeyValues {
			if size += len(v) + 1; size > maxContextSize {
				return errInvalidInput.New("The context entries have more than %d bytes together.", maxContextSize)
			}
			if t := valueTypes[kind]; !t.Valid(v) {
				return errInvalidInput.New("The value %q of the context key %s is not %s.", v, key, t)
			}
		}
		m.context.Set(key, e.ContextKeyValues...)
	}
	m.contextSize = size
	return nil
}

// valueTypes are the types of context keys, as the API spells them.
var valueTypes = map[string]policy.ValueType{
	"string": policy.StringValue, "numeric": policy.NumericValue, "boolean": policy.BoolValue,
	"ip": policy.AddressValue, "date": policy.DateValue, "binary": policy.BinaryValue,
}
