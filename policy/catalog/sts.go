package catalog

// stsGroups are the actions of sts.
var stsGroups = []group{
	{access: Read, actions: `
		GetAccessKeyInfo GetCallerIdentity GetSessionToken`},
	{access: Read, keys: "sts:AWSServiceName sts:DurationSeconds", permission: true, actions: `
		GetServiceBearerToken`},
	{access: Write, actions: `
		DecodeAuthorizationMessage GetDelegatedAccessToken`},
	{access: Write, keys: "aws:RequestTag/${TagKey} aws:TagKeys sts:DurationSeconds sts:IdentityTokenAudience sts:SigningAlgorithm", actions: `
		GetWebIdentityToken`},
	{access: Write, resources: "federated-user", optional: true, keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		GetFederationToken`},
	{access: Write, resources: "role", keys: "aws:RequestTag/${TagKey} aws:TagKeys iam:ResourceTag/${TagKey} saml:sub saml:sub_type sts:ExternalId sts:RoleSessionName sts:SourceIdentity sts:TransitiveTagKeys", actions: `
		AssumeRole`},
	{access: Write, resources: "role", keys: "aws:RequestTag/${TagKey} aws:TagKeys saml:aud saml:iss saml:sub saml:sub_type sts:RoleSessionName sts:SourceIdentity sts:TransitiveTagKeys", actions: `
		AssumeRoleWithSAML`},
	{access: Write, resources: "role", keys: "aws:RequestTag/${TagKey} aws:TagKeys sts:RoleAuthorizedByIdp sts:RoleSessionName sts:SourceIdentity sts:TransitiveTagKeys", actions: `
		AssumeRoleWithWebIdentity`},
	{access: Write, resources: "role", optional: true, keys: "sts:SourceIdentity", permission: true, actions: `
		SetSourceIdentity`},
	{access: Write, resources: "role self-session", optional: true, keys: "sts:RequestContext/${ContextKey} sts:RequestContextProviders", permission: true, actions: `
		SetContext`},
	{access: Write, resources: "root-user", keys: "sts:TaskPolicyArn", actions: `
		AssumeRoot`},
	{access: Tagging, keys: "aws:RequestTag/${TagKey} aws:TagKeys", permission: true, actions: `
		TagGetWebIdentityToken`},
	{access: Tagging, resources: "role", optional: true, keys: "aws:RequestTag/${TagKey} aws:TagKeys saml:aud sts:TransitiveTagKeys", permission: true, actions: `
		TagSession`},
}

// stsTypes are the resource types of sts.
var stsTypes = []ResourceType{
	{Service: "sts", Name: "context-provider", ARN: "arn:${Partition}:iam::aws:contextProvider/${ContextProviderName}", keys: ""},
	{Service: "sts", Name: "federated-user", ARN: "arn:${Partition}:sts::${Account}:federated-user/${FederatedUserName}", keys: ""},
	{Service: "sts", Name: "role", ARN: "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", keys: "aws:ResourceTag/${TagKey} iam:ResourceTag/${TagKey}"},
	{Service: "sts", Name: "root-user", ARN: "arn:${Partition}:iam::${Account}:root", keys: ""},
	{Service: "sts", Name: "self-session", ARN: "arn:${Partition}:sts::${Account}:self", keys: ""},
}
