package validate

// Code names a kind of finding. Codes are stable; where IAM Access Analyzer has the
// same check the code is its issue code.
type Code string

// Errors: what package policy refuses.
const (
	JSONSyntaxError               Code = "JSON_SYNTAX_ERROR"
	DuplicateName                 Code = "DUPLICATE_NAME"
	InvalidPolicyElement          Code = "INVALID_POLICY_ELEMENT"
	InvalidElementType            Code = "INVALID_ELEMENT_TYPE"
	InvalidVersion                Code = "INVALID_VERSION"
	MissingStatement              Code = "MISSING_STATEMENT"
	MissingEffect                 Code = "MISSING_EFFECT"
	MissingAction                 Code = "MISSING_ACTION"
	MissingResource               Code = "MISSING_RESOURCE"
	MissingPrincipal              Code = "MISSING_PRINCIPAL"
	InvalidEffect                 Code = "INVALID_EFFECT"
	UnsupportedElement            Code = "UNSUPPORTED_ELEMENT"
	UnsupportedElementCombination Code = "UNSUPPORTED_ELEMENT_COMBINATION"
	InvalidPrincipal              Code = "INVALID_PRINCIPAL"
	InvalidSid                    Code = "INVALID_SID"
	DuplicateSid                  Code = "DUPLICATE_SID"
	InvalidAction                 Code = "INVALID_ACTION"
	InvalidARN                    Code = "INVALID_ARN"
	InvalidConditionOperator      Code = "INVALID_CONDITION_OPERATOR"
	InvalidDateValue              Code = "INVALID_DATE_VALUE"
)

// Names that mean nothing.
const (
	UnknownAction         Code = "UNKNOWN_ACTION"
	UnknownService        Code = "UNKNOWN_SERVICE"
	ServiceNotOffered     Code = "SERVICE_NOT_OFFERED"
	UnknownConditionKey   Code = "UNKNOWN_CONDITION_KEY"
	UnknownVariable       Code = "UNKNOWN_VARIABLE"
	EmptyUnknownOperator  Code = "EMPTY_UNKNOWN_OPERATOR"
	OperatorSpelling      Code = "CONDITION_OPERATOR_SPELLING"
	WildcardInServiceName Code = "WILDCARD_IN_SERVICE_NAME"
	ExtensionKey          Code = "EXTENSION_CONDITION_KEY"
)

// Actions, resources and keys that do not go together.
const (
	ActionResourceMismatch  Code = "ACTION_RESOURCE_MISMATCH"
	ResourceStarRequired    Code = "RESOURCE_STAR_REQUIRED"
	ResourceNeverUsed       Code = "RESOURCE_NEVER_USED"
	KeyNeverCarried         Code = "CONDITION_KEY_NEVER_CARRIED"
	DeniesWithoutKey        Code = "DENY_OF_ACTIONS_WITHOUT_KEY"
	ARNPartitionMismatch    Code = "ARN_PARTITION_MISMATCH"
	ARNRegionMismatch       Code = "ARN_REGION_MISMATCH"
	ARNAccountMismatch      Code = "ARN_ACCOUNT_MISMATCH"
	InvalidARNAccount       Code = "INVALID_ARN_ACCOUNT"
	MissingARNRegion        Code = "MISSING_ARN_REGION"
	MissingARNAccount       Code = "MISSING_ARN_ACCOUNT"
	MissingARNField         Code = "MISSING_ARN_FIELD"
	RepositoryARNForm       Code = "REPOSITORY_ARN_FORM"
	ResourceMatchesNothing  Code = "RESOURCE_MATCHES_NOTHING"
	OperatorTypeMismatch    Code = "CONDITION_OPERATOR_TYPE_MISMATCH"
	SetOperatorOnSingleKey  Code = "SET_OPERATOR_ON_SINGLE_VALUED_KEY"
	MissingSetOperator      Code = "MISSING_SET_OPERATOR"
	ForAllValuesWithoutNull Code = "FORALLVALUES_WITHOUT_NULL"
)

// Condition values.
const (
	WildcardWithoutLike          Code = "WILDCARD_WITHOUT_LIKE_OPERATOR"
	EmptyConditionValues         Code = "EMPTY_ARRAY_CONDITION"
	EmptyConditionValue          Code = "EMPTY_CONDITION_VALUE"
	EmptyCondition               Code = "EMPTY_OBJECT_CONDITION"
	EmptySid                     Code = "EMPTY_SID_VALUE"
	InvalidNumberValue           Code = "INVALID_NUMBER_VALUE"
	InvalidAddressValue          Code = "INVALID_IP_VALUE"
	AddressHostBits              Code = "IMPROVE_IP_RANGE"
	InvalidBooleanValue          Code = "INVALID_BOOLEAN_VALUE"
	InvalidBinaryValue           Code = "INVALID_BINARY_VALUE"
	InvalidARNValue              Code = "INVALID_ARN_VALUE"
	BooleanSpelling              Code = "BOOLEAN_SPELLING"
	MalformedVariable            Code = "MALFORMED_VARIABLE"
	MultivaluedVariable          Code = "MULTIVALUED_VARIABLE"
	VariableUnsupportedInVersion Code = "VARIABLE_UNSUPPORTED_IN_VERSION"
	VariableUnsupportedInElement Code = "VARIABLE_UNSUPPORTED_IN_ELEMENT"
	InvalidVariableForOperator   Code = "INVALID_VARIABLE_FOR_OPERATOR"
	VariableInARNHead            Code = "VARIABLE_IN_ARN_HEAD"
)

// Conditions that contradict, and traps.
const (
	NullContradiction       Code = "NULL_CONTRADICTION"
	NullAlwaysTrue          Code = "NULL_ALWAYS_TRUE"
	NullWithSetOperator     Code = "NULL_WITH_QUALIFIER"
	IneffectiveOperator     Code = "INEFFECTIVE_CONDITION_OPERATOR"
	ContradictingConditions Code = "CONTRADICTING_CONDITIONS"
	KeyCaseRepeated         Code = "DUPLICATE_KEYS_WITH_DIFFERENT_CASE"
	MFAWithoutIfExists      Code = "MFA_DENY_WITHOUT_IF_EXISTS"
	MFAIfExistsInAllow      Code = "MFA_ALLOW_WITH_IF_EXISTS"
)

// Branch protection.
const (
	ReferenceNotFull        Code = "REFERENCE_NOT_A_FULL_NAME"
	DenyBlocksEveryPush     Code = "DENY_BLOCKS_EVERY_PUSH"
	AllowNeverPushes        Code = "ALLOW_NEVER_PUSHES"
	RefProtectionIncomplete Code = "REF_PROTECTION_INCOMPLETE"
)

// Breadth, and statements without effect.
const (
	AllowEverything       Code = "ALLOW_EVERYTHING"
	AllowWithNotAction    Code = "ALLOW_WITH_NOT_ACTION"
	AllowWithNotResource  Code = "ALLOW_WITH_NOT_RESOURCE"
	AllowWithNotPrincipal Code = "ALLOW_WITH_NOT_PRINCIPAL"
	PrincipalEveryone     Code = "PRINCIPAL_EVERYONE"
	MissingVersion        Code = "MISSING_VERSION"
	RedundantAction       Code = "REDUNDANT_ACTION"
	RedundantResource     Code = "REDUNDANT_RESOURCE"
	RedundantValue        Code = "REDUNDANT_CONDITION_VALUE"
	RedundantStatement    Code = "REDUNDANT_STATEMENT"
	UnreachableStatement  Code = "UNREACHABLE_STATEMENT"
	UnreachableAction     Code = "UNREACHABLE_ACTION"
)

// descriptions has one line for every code, in the order above.
var descriptions = [...]struct {
	code Code
	text string
}{
	{JSONSyntaxError, "The text is not JSON, or not JSON that IAM reads."},
	{DuplicateName, "A name occurs twice in one object."},
	{InvalidPolicyElement, "There is no element of that name."},
	{InvalidElementType, "An element is of the wrong JSON type."},
	{InvalidVersion, "The Version is not one that this kind of document may have."},
	{MissingStatement, "The document has no statement."},
	{MissingEffect, "A statement has no Effect."},
	{MissingAction, "A statement has no action."},
	{MissingResource, "A statement has no resource."},
	{MissingPrincipal, "A statement of a trust or resource policy has no principal."},
	{InvalidEffect, "Effect is neither Allow nor Deny."},
	{UnsupportedElement, "This kind of document does not have the element."},
	{UnsupportedElementCombination, "An element and its Not twin stand in one statement."},
	{InvalidPrincipal, "A principal has a form that does not exist."},
	{InvalidSid, "A Sid has characters other than letters and digits."},
	{DuplicateSid, "Two statements have the same Sid."},
	{InvalidAction, "An action is not of the form service:Name."},
	{InvalidARN, "A resource is neither an ARN nor *."},
	{InvalidConditionOperator, "There is no condition operator of that name."},
	{InvalidDateValue, "A value of a date operator is not a date."},

	{UnknownAction, "The service has no such action."},
	{UnknownService, "A service prefix looks misspelled."},
	{ServiceNotOffered, "An action is of a service that this host does not offer."},
	{UnknownConditionKey, "No request carries the condition key."},
	{UnknownVariable, "A variable names a condition key that does not exist."},
	{EmptyUnknownOperator, "A condition operator does not exist; it stands over no key."},
	{OperatorSpelling, "A condition operator is written in another case than documented."},
	{WildcardInServiceName, "A wildcard in a service prefix, or for all of it; whether the action matches is contested."},
	{ExtensionKey, "A condition key is an extension that AWS does not know."},

	{ActionResourceMismatch, "An action does not act on any of the statement's resources."},
	{ResourceStarRequired, "An action without resource-level permission needs the resource *."},
	{ResourceNeverUsed, "None of the statement's actions acts on the resource."},
	{KeyNeverCarried, "An action never carries the condition key."},
	{DeniesWithoutKey, "A Deny also meets actions that never carry its condition key."},
	{ARNPartitionMismatch, "An ARN is of another partition."},
	{ARNRegionMismatch, "An ARN is of another region."},
	{ARNAccountMismatch, "An ARN is of another account."},
	{InvalidARNAccount, "The account of an ARN is not 12 digits."},
	{MissingARNRegion, "An ARN lacks a region that its resources have."},
	{MissingARNAccount, "An ARN lacks an account that its resources have."},
	{MissingARNField, "An ARN pattern has fewer than six parts and no * at its end; what a * in it matches is contested."},
	{RepositoryARNForm, "The ARN of a repository ends with its bare name."},
	{ResourceMatchesNothing, "No repository has a name that the resource matches."},
	{OperatorTypeMismatch, "The condition operator is for another type than the key's."},
	{SetOperatorOnSingleKey, "A set operator stands before a key that has one value."},
	{MissingSetOperator, "A key that may have several values stands without a set operator."},
	{ForAllValuesWithoutNull, "ForAllValues in an Allow lets requests without the key through."},

	{WildcardWithoutLike, "A wildcard in the value of an operator that compares exactly."},
	{EmptyConditionValues, "A condition lists no value."},
	{EmptyConditionValue, "A condition value is the empty string."},
	{EmptyCondition, "A condition, or an operator in it, is empty."},
	{EmptySid, "A Sid is empty."},
	{InvalidNumberValue, "A value of a numeric operator is not a number."},
	{InvalidAddressValue, "A value of an IP operator is neither an address nor a network."},
	{AddressHostBits, "A network has bits set behind its prefix."},
	{InvalidBooleanValue, "A value of Bool or Null is neither true nor false."},
	{InvalidBinaryValue, "A value of BinaryEquals is not base64."},
	{InvalidARNValue, "A value of an ARN operator does not have six parts."},
	{BooleanSpelling, "true or false in another case; whether it counts is contested."},
	{MalformedVariable, "A text begins like a variable and is none."},
	{MultivaluedVariable, "A variable of a key with several values never has a value."},
	{VariableUnsupportedInVersion, "Documents of the old version have no variables."},
	{VariableUnsupportedInElement, "There are no variables in the element."},
	{InvalidVariableForOperator, "There are no variables in the values of the operator."},
	{VariableInARNHead, "A variable stands in the region or account of an ARN."},

	{NullContradiction, "The key must be both missing and present."},
	{NullAlwaysTrue, "Null with both true and false asks nothing."},
	{NullWithSetOperator, "Null with a set operator is constant."},
	{IneffectiveOperator, "An operator holds whenever Null does."},
	{ContradictingConditions, "Two conditions on one key cannot both hold."},
	{KeyCaseRepeated, "One operator has a key twice, in different case."},
	{MFAWithoutIfExists, "A Deny without MFA does not meet long-term credentials."},
	{MFAIfExistsInAllow, "An Allow with MFA also meets long-term credentials."},

	{ReferenceNotFull, "A value of codecommit:References is not a full ref name."},
	{DenyBlocksEveryPush, "A Deny on refs meets the first contact of every push."},
	{AllowNeverPushes, "An Allow on refs does not meet the first contact of a push."},
	{RefProtectionIncomplete, "A Deny on refs leaves out actions that move refs."},

	{AllowEverything, "Every action on every resource is allowed."},
	{AllowWithNotAction, "Allow with NotAction allows all that is not listed."},
	{AllowWithNotResource, "Allow with NotResource allows all that is not listed."},
	{AllowWithNotPrincipal, "Allow with NotPrincipal allows all that are not listed."},
	{PrincipalEveryone, "Everyone is allowed, without a condition."},
	{MissingVersion, "The document does not say its Version."},
	{RedundantAction, "Another action of the list covers the action."},
	{RedundantResource, "Another resource of the list covers the resource."},
	{RedundantValue, "Another value of the condition covers the value."},
	{RedundantStatement, "Another statement covers the statement."},
	{UnreachableStatement, "A Deny covers the whole Allow."},
	{UnreachableAction, "A Deny covers an action of the Allow."},
}

// Codes returns all codes in order.
func Codes() []Code {
	out := make([]Code, len(descriptions))
	for i := range descriptions {
		out[i] = descriptions[i].code
	}
	return out
}

// Description returns one sentence for a code, "" for one that does not exist.
func (c Code) Description() string {
	for i := range descriptions {
		if descriptions[i].code == c {
			return descriptions[i].text
		}
	}
	return ""
}
