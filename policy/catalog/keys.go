package catalog

import "strings"

// KeyType is the type of a condition key's values: which family of operators is
// meant for it. Values are text all the same.
type KeyType uint8

// The types.
const (
	String KeyType = iota
	Bool
	Date
	Numeric
	IPAddress
	ARN
	Binary
)

// String returns the type as the Service Authorization Reference spells it.
func (t KeyType) String() string {
	names := [...]string{"String", "Bool", "Date", "Numeric", "IPAddress", "ARN", "Binary"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// ConditionKey is one condition key.
type ConditionKey struct {
	Name  string // "codecommit:References"; a key per tag is "aws:RequestTag/${TagKey}"
	Type  KeyType
	Multi bool // ArrayOf…: a request may carry several values; use a set operator

	// Global keys are carried by requests of every service, as far as they apply.
	Global bool

	// Extension says that the key is Refward's own and unknown to AWS.
	Extension bool
}

// TypeName returns the type as the reference spells it, ArrayOf… for a multivalued key.
func (k ConditionKey) TypeName() string {
	if k.Multi {
		return "ArrayOf" + k.Type.String()
	}
	return k.Type.String()
}

// Key finds a condition key without regard to case. The name may be that of one
// tag: aws:RequestTag/team finds aws:RequestTag/${TagKey}.
func Key(name string) (ConditionKey, bool) {
	if strings.HasSuffix(name, "/") {
		return ConditionKey{}, false
	}
	k, ok := built().keys[strings.ToLower(stem(name))]
	return k, ok
}

// stem is the name of a key up to the slash, for keys that have one entry per tag or
// the like.
func stem(name string) string {
	if i := strings.IndexByte(name, '/'); i >= 0 {
		return name[:i+1]
	}
	return name
}

// Keys returns all condition keys, the global ones first.
func Keys() []ConditionKey { return append([]ConditionKey(nil), keyTable[:]...) }

// keyTable: IAM User Guide, "AWS global condition context keys" and "Available keys
// for IAM and AWS STS"; Service Authorization Reference for the services.
var keyTable = [...]ConditionKey{
	{Name: "aws:username", Global: true},
	{Name: "aws:userid", Global: true},
	{Name: "aws:PrincipalArn", Type: ARN, Global: true},
	{Name: "aws:PrincipalAccount", Global: true},
	{Name: "aws:PrincipalType", Global: true},
	{Name: "aws:PrincipalTag/${TagKey}", Global: true},
	{Name: "aws:PrincipalOrgID", Global: true},
	{Name: "aws:PrincipalOrgPaths", Multi: true, Global: true},
	{Name: "aws:PrincipalIsAWSService", Type: Bool, Global: true},
	{Name: "aws:PrincipalServiceName", Global: true},
	{Name: "aws:PrincipalServiceNamesList", Multi: true, Global: true},
	{Name: "aws:RequestTag/${TagKey}", Global: true},
	{Name: "aws:TagKeys", Multi: true, Global: true},
	{Name: "aws:ResourceTag/${TagKey}", Global: true},
	{Name: "aws:ResourceAccount", Global: true},
	{Name: "aws:ResourceOrgID", Global: true},
	{Name: "aws:ResourceOrgPaths", Multi: true, Global: true},
	{Name: "aws:RequestedRegion", Global: true},
	{Name: "aws:SourceIp", Type: IPAddress, Global: true},
	{Name: "aws:SecureTransport", Type: Bool, Global: true},
	{Name: "aws:CurrentTime", Type: Date, Global: true},
	{Name: "aws:EpochTime", Type: Numeric, Global: true},
	{Name: "aws:UserAgent", Global: true},
	{Name: "aws:Referer", Global: true},
	{Name: "aws:MultiFactorAuthPresent", Type: Bool, Global: true},
	{Name: "aws:MultiFactorAuthAge", Type: Numeric, Global: true},
	{Name: "aws:TokenIssueTime", Type: Date, Global: true},
	{Name: "aws:SourceIdentity", Global: true},
	{Name: "aws:FederatedProvider", Global: true},
	{Name: "aws:ChatbotSourceArn", Type: ARN, Global: true},
	{Name: "aws:AssumedRoot", Type: Bool, Global: true},
	{Name: "aws:ViaAWSService", Type: Bool, Global: true},
	{Name: "aws:CalledVia", Multi: true, Global: true},
	{Name: "aws:CalledViaFirst", Global: true},
	{Name: "aws:CalledViaLast", Global: true},
	{Name: "aws:SourceArn", Type: ARN, Global: true},
	{Name: "aws:SourceAccount", Global: true},
	{Name: "aws:SourceOrgID", Global: true},
	{Name: "aws:SourceOrgPaths", Multi: true, Global: true},
	{Name: "aws:SourceVpc", Global: true},
	{Name: "aws:SourceVpcArn", Type: ARN, Global: true},
	{Name: "aws:SourceVpce", Global: true},
	{Name: "aws:VpceAccount", Global: true},
	{Name: "aws:VpceOrgID", Global: true},
	{Name: "aws:VpceOrgPaths", Multi: true, Global: true},
	{Name: "aws:VpcSourceIp", Type: IPAddress, Global: true},
	{Name: "aws:Ec2InstanceSourceVpc", Global: true},
	{Name: "aws:Ec2InstanceSourcePrivateIPv4", Type: IPAddress, Global: true},

	{Name: "codecommit:References"},
	{Name: "iam:AWSServiceName"},
	{Name: "iam:AccountPropertyNamespaces", Multi: true},
	{Name: "iam:AssociatedResourceArn", Type: ARN},
	{Name: "iam:DelegationDuration"},
	{Name: "iam:DelegationRequestOwner", Type: ARN},
	{Name: "iam:FIDO-FIPS-140-2-certification"},
	{Name: "iam:FIDO-FIPS-140-3-certification"},
	{Name: "iam:FIDO-certification"},
	{Name: "iam:NotificationChannel"},
	{Name: "iam:OrganizationsPolicyId"},
	{Name: "iam:PassedToService"},
	{Name: "iam:PermissionsBoundary", Type: ARN},
	{Name: "iam:PolicyARN", Type: ARN},
	{Name: "iam:RegisterSecurityKey"},
	{Name: "iam:ResourceTag/${TagKey}"},
	{Name: "iam:RoleTemplateARN", Type: ARN},
	{Name: "iam:ServiceSpecificCredentialAgeDays", Type: Numeric},
	{Name: "iam:ServiceSpecificCredentialServiceName"},
	{Name: "iam:TemplateArn", Type: ARN},
	{Name: "saml:aud"},
	{Name: "saml:iss"},
	{Name: "saml:sub"},
	{Name: "saml:sub_type"},
	{Name: "sts:AWSServiceName"},
	{Name: "sts:DurationSeconds", Type: Numeric},
	{Name: "sts:ExternalId"},
	{Name: "sts:IdentityTokenAudience", Multi: true},
	{Name: "sts:RequestContext/${ContextKey}"},
	{Name: "sts:RequestContextProviders", Type: ARN, Multi: true},
	{Name: "sts:RoleAuthorizedByIdp", Type: Bool},
	{Name: "sts:RoleSessionName"},
	{Name: "sts:SigningAlgorithm"},
	{Name: "sts:SourceIdentity"},
	{Name: "sts:TaskPolicyArn", Type: ARN},
	{Name: "sts:TransitiveTagKeys", Multi: true},

	{Name: "refward:ApprovalsSatisfied", Type: Bool, Extension: true},
	{Name: "refward:ChangedPaths", Multi: true, Extension: true},
	{Name: "refward:CommitsSigned", Type: Bool, Extension: true},
	{Name: "refward:PushSize", Type: Numeric, Extension: true},
	{Name: "refward:RefChange", Extension: true},
}

// extensions says which actions carry which of Refward's own keys. RefChange is
// create, fast-forward, force or delete; PushSize is in bytes.
var extensions = map[string]string{
	"refward:RefChange":          "codecommit:GitPush codecommit:CreateBranch codecommit:DeleteBranch " + writers,
	"refward:ChangedPaths":       "codecommit:GitPush " + writers,
	"refward:CommitsSigned":      "codecommit:GitPush codecommit:CreateBranch " + writers,
	"refward:ApprovalsSatisfied": "codecommit:GitPush " + writers,
	"refward:PushSize":           "codecommit:GitPush",
}

// writers are the API actions that put a new commit on a branch.
const writers = "codecommit:CreateCommit codecommit:DeleteFile codecommit:PutFile " +
	"codecommit:MergeBranchesByFastForward codecommit:MergeBranchesBySquash codecommit:MergeBranchesByThreeWay " +
	"codecommit:MergePullRequestByFastForward codecommit:MergePullRequestBySquash codecommit:MergePullRequestByThreeWay"
