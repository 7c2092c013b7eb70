package catalog

// iamGroups are the actions of iam.
var iamGroups = []group{
	{access: List, actions: `
		GetAccountSummary ListAccountAliases ListGroups ListInstanceProfiles ListOpenIDConnectProviders
		ListOrganizationsFeatures ListPolicies ListRoles ListSAMLProviders ListServerCertificates
		ListUsers ListVirtualMFADevices`},
	{access: List, permission: true, actions: `
		ListCloudFrontPublicKeys ListSTSRegionalEndpointsStatus`},
	{access: List, keys: "iam:DelegationRequestOwner", actions: `
		ListDelegationRequests`},
	{access: List, resources: "group", actions: `
		ListAttachedGroupPolicies ListGroupPolicies`},
	{access: List, resources: "group role user", actions: `
		ListPoliciesGrantingServiceAccess`},
	{access: List, resources: "instance-profile", actions: `
		ListInstanceProfileTags`},
	{access: List, resources: "mfa", actions: `
		ListMFADeviceTags`},
	{access: List, resources: "oidc-provider", actions: `
		ListOpenIDConnectProviderTags`},
	{access: List, resources: "policy", actions: `
		ListEntitiesForPolicy ListPolicyTags ListPolicyVersions`},
	{access: List, resources: "role", actions: `
		ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags`},
	{access: List, resources: "saml-provider", actions: `
		ListSAMLProviderTags`},
	{access: List, resources: "server-certificate", actions: `
		ListServerCertificateTags`},
	{access: List, resources: "user", actions: `
		GetLoginProfile ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListSSHPublicKeys
		ListServiceSpecificCredentials ListSigningCertificates ListUserPolicies ListUserTags`},
	{access: List, resources: "user", optional: true, actions: `
		ListMFADevices`},
	{access: Read, actions: `
		GenerateCredentialReport GetAccountAuthorizationDetails GetAccountPasswordPolicy
		GetContextKeysForCustomPolicy GetCredentialReport GetOrganizationsAccessReport
		GetOutboundWebIdentityFederationInfo GetServiceLastAccessedDetails
		GetServiceLastAccessedDetailsWithEntities SimulateCustomPolicy`},
	{access: Read, permission: true, actions: `
		GetAccountEmailAddress GetAccountName GetCloudFrontPublicKey`},
	{access: Read, keys: "iam:AccountPropertyNamespaces", actions: `
		GetAccountProperties`},
	{access: Read, resources: "access-report", keys: "iam:OrganizationsPolicyId", actions: `
		GenerateOrganizationsAccessReport`},
	{access: Read, resources: "delegation-request", actions: `
		GetDelegationRequest GetHumanReadableSummary`},
	{access: Read, resources: "group", actions: `
		GetGroup GetGroupPolicy`},
	{access: Read, resources: "group policy role user", actions: `
		GenerateServiceLastAccessedDetails`},
	{access: Read, resources: "group role user", optional: true, actions: `
		GetContextKeysForPrincipalPolicy SimulatePrincipalPolicy`},
	{access: Read, resources: "instance-profile", actions: `
		GetInstanceProfile`},
	{access: Read, resources: "oidc-provider", actions: `
		GetOpenIDConnectProvider`},
	{access: Read, resources: "policy", actions: `
		GetPolicy GetPolicyVersion`},
	{access: Read, resources: "role", actions: `
		GetRolePolicy GetServiceLinkedRoleDeletionStatus`},
	{access: Read, resources: "role", keys: "iam:PermissionsBoundary iam:RoleTemplateARN", actions: `
		GetRole`},
	{access: Read, resources: "role-template", actions: `
		GetRoleTemplateVersion`},
	{access: Read, resources: "saml-provider", actions: `
		GetSAMLProvider`},
	{access: Read, resources: "server-certificate", actions: `
		GetServerCertificate`},
	{access: Read, resources: "user", actions: `
		GetAccessKeyLastUsed GetMFADevice GetSSHPublicKey GetUser GetUserPolicy`},
	{access: Write, actions: `
		CreateAccountAlias DeleteAccountAlias DisableOrganizationsRootCredentialsManagement
		DisableOrganizationsRootSessions DisableOutboundWebIdentityFederation
		EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions
		EnableOutboundWebIdentityFederation SetSecurityTokenServicePreferences
		UpdateAccountPasswordPolicy`},
	{access: Write, permission: true, actions: `
		DeleteCloudFrontPublicKey SetSTSRegionalEndpointStatus UpdateAccountEmailAddress
		UpdateAccountName UpdateCloudFrontPublicKey UploadCloudFrontPublicKey`},
	{access: Write, keys: "iam:AccountPropertyNamespaces", actions: `
		PutAccountProperties`},
	{access: Write, resources: "delegation-request", actions: `
		AcceptDelegationRequest AssociateDelegationRequest RejectDelegationRequest SendDelegationToken
		UpdateDelegationRequest`},
	{access: Write, resources: "delegation-request", keys: "iam:DelegationDuration iam:NotificationChannel iam:TemplateArn", actions: `
		CreateDelegationRequest`},
	{access: Write, resources: "group", actions: `
		AddUserToGroup CreateGroup DeleteGroup RemoveUserFromGroup UpdateGroup`},
	{access: Write, resources: "instance-profile", actions: `
		AddRoleToInstanceProfile DeleteInstanceProfile RemoveRoleFromInstanceProfile`},
	{access: Write, resources: "instance-profile", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		CreateInstanceProfile`},
	{access: Write, resources: "mfa", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		CreateVirtualMFADevice`},
	{access: Write, resources: "mfa sms-mfa", optional: true, actions: `
		DeleteVirtualMFADevice`},
	{access: Write, resources: "oidc-provider", actions: `
		AddClientIDToOpenIDConnectProvider DeleteOpenIDConnectProvider
		RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint`},
	{access: Write, resources: "oidc-provider", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		CreateOpenIDConnectProvider`},
	{access: Write, resources: "role", actions: `
		AcquireRole DeleteServiceLinkedRole`},
	{access: Write, resources: "role", keys: "aws:RequestTag/${TagKey} aws:TagKeys iam:PermissionsBoundary iam:RoleTemplateARN", actions: `
		CreateRole`},
	{access: Write, resources: "role", keys: "iam:AWSServiceName", actions: `
		CreateServiceLinkedRole`},
	{access: Write, resources: "role", keys: "iam:AssociatedResourceArn iam:PassedToService", permission: true, actions: `
		PassRole`},
	{access: Write, resources: "role", keys: "iam:PermissionsBoundary", actions: `
		DeleteRole UpdateRole UpdateRoleDescription`},
	{access: Write, resources: "saml-provider", actions: `
		DeleteSAMLProvider UpdateSAMLProvider`},
	{access: Write, resources: "saml-provider", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		CreateSAMLProvider`},
	{access: Write, resources: "server-certificate", actions: `
		DeleteServerCertificate UpdateServerCertificate`},
	{access: Write, resources: "server-certificate", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		UploadServerCertificate`},
	{access: Write, resources: "user", actions: `
		ChangePassword CreateAccessKey CreateLoginProfile DeactivateMFADevice DeleteAccessKey
		DeleteLoginProfile DeleteSSHPublicKey DeleteSigningCertificate DeleteUser ResyncMFADevice
		UpdateAccessKey UpdateLoginProfile UpdateSSHPublicKey UpdateSigningCertificate UpdateUser
		UploadSSHPublicKey UploadSigningCertificate`},
	{access: Write, resources: "user", keys: "aws:RequestTag/${TagKey} aws:TagKeys iam:PermissionsBoundary", actions: `
		CreateUser`},
	{access: Write, resources: "user", keys: "iam:FIDO-FIPS-140-2-certification iam:FIDO-FIPS-140-3-certification iam:FIDO-certification iam:RegisterSecurityKey", actions: `
		EnableMFADevice`},
	{access: Write, resources: "user", keys: "iam:ServiceSpecificCredentialAgeDays iam:ServiceSpecificCredentialServiceName", actions: `
		CreateServiceSpecificCredential`},
	{access: Write, resources: "user", keys: "iam:ServiceSpecificCredentialServiceName", actions: `
		DeleteServiceSpecificCredential ResetServiceSpecificCredential UpdateServiceSpecificCredential`},
	{access: Tagging, resources: "instance-profile", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagInstanceProfile`},
	{access: Tagging, resources: "instance-profile", keys: "aws:TagKeys", actions: `
		UntagInstanceProfile`},
	{access: Tagging, resources: "mfa", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagMFADevice`},
	{access: Tagging, resources: "mfa", keys: "aws:TagKeys", actions: `
		UntagMFADevice`},
	{access: Tagging, resources: "oidc-provider", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagOpenIDConnectProvider`},
	{access: Tagging, resources: "oidc-provider", keys: "aws:TagKeys", actions: `
		UntagOpenIDConnectProvider`},
	{access: Tagging, resources: "policy", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagPolicy`},
	{access: Tagging, resources: "policy", keys: "aws:TagKeys", actions: `
		UntagPolicy`},
	{access: Tagging, resources: "role", keys: "aws:RequestTag/${TagKey} aws:TagKeys iam:RoleTemplateARN", actions: `
		TagRole`},
	{access: Tagging, resources: "role", keys: "aws:TagKeys", actions: `
		UntagRole`},
	{access: Tagging, resources: "saml-provider", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagSAMLProvider`},
	{access: Tagging, resources: "saml-provider", keys: "aws:TagKeys", actions: `
		UntagSAMLProvider`},
	{access: Tagging, resources: "server-certificate", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagServerCertificate`},
	{access: Tagging, resources: "server-certificate", keys: "aws:TagKeys", actions: `
		UntagServerCertificate`},
	{access: Tagging, resources: "user", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		TagUser`},
	{access: Tagging, resources: "user", keys: "aws:TagKeys", actions: `
		UntagUser`},
	{access: PermissionsManagement, actions: `
		DeleteAccountPasswordPolicy`},
	{access: PermissionsManagement, resources: "group", actions: `
		DeleteGroupPolicy PutGroupPolicy`},
	{access: PermissionsManagement, resources: "group", keys: "iam:PolicyARN", actions: `
		AttachGroupPolicy DetachGroupPolicy`},
	{access: PermissionsManagement, resources: "policy", actions: `
		CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion`},
	{access: PermissionsManagement, resources: "policy", keys: "aws:RequestTag/${TagKey} aws:TagKeys", actions: `
		CreatePolicy`},
	{access: PermissionsManagement, resources: "role", keys: "iam:PermissionsBoundary", actions: `
		DeleteRolePermissionsBoundary DeleteRolePolicy UpdateAssumeRolePolicy`},
	{access: PermissionsManagement, resources: "role", keys: "iam:PermissionsBoundary iam:PolicyARN", actions: `
		DetachRolePolicy`},
	{access: PermissionsManagement, resources: "role", keys: "iam:PermissionsBoundary iam:PolicyARN iam:RoleTemplateARN", actions: `
		AttachRolePolicy`},
	{access: PermissionsManagement, resources: "role", keys: "iam:PermissionsBoundary iam:RoleTemplateARN", actions: `
		PutRolePermissionsBoundary PutRolePolicy`},
	{access: PermissionsManagement, resources: "user", keys: "iam:PermissionsBoundary", actions: `
		DeleteUserPermissionsBoundary DeleteUserPolicy PutUserPermissionsBoundary PutUserPolicy`},
	{access: PermissionsManagement, resources: "user", keys: "iam:PermissionsBoundary iam:PolicyARN", actions: `
		AttachUserPolicy DetachUserPolicy`},
}

// iamTypes are the resource types of iam.
var iamTypes = []ResourceType{
	{Service: "iam", Name: "access-report", ARN: "arn:${Partition}:iam::${Account}:access-report/${EntityPath}", keys: ""},
	{Service: "iam", Name: "assumed-role", ARN: "arn:${Partition}:iam::${Account}:assumed-role/${RoleName}/${RoleSessionName}", keys: ""},
	{Service: "iam", Name: "delegation-request", ARN: "arn:${Partition}:iam::${Account}:delegation-request/${DelegationRequestId}", keys: "iam:DelegationRequestOwner"},
	{Service: "iam", Name: "federated-user", ARN: "arn:${Partition}:iam::${Account}:federated-user/${UserName}", keys: ""},
	{Service: "iam", Name: "group", ARN: "arn:${Partition}:iam::${Account}:group/${GroupNameWithPath}", keys: ""},
	{Service: "iam", Name: "instance-profile", ARN: "arn:${Partition}:iam::${Account}:instance-profile/${InstanceProfileNameWithPath}", keys: "aws:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "mfa", ARN: "arn:${Partition}:iam::${Account}:mfa/${MfaTokenIdWithPath}", keys: "aws:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "oidc-provider", ARN: "arn:${Partition}:iam::${Account}:oidc-provider/${OidcProviderName}", keys: "aws:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "policy", ARN: "arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}", keys: "aws:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "role", ARN: "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", keys: "aws:ResourceTag/${TagKey} iam:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "role-template", ARN: "arn:${Partition}:iam::aws:role-template/${AWSServicePrincipal}/${RoleTemplateName}:${RoleTemplateMajorVersion}", keys: ""},
	{Service: "iam", Name: "saml-provider", ARN: "arn:${Partition}:iam::${Account}:saml-provider/${SamlProviderName}", keys: "aws:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "server-certificate", ARN: "arn:${Partition}:iam::${Account}:server-certificate/${CertificateNameWithPath}", keys: "aws:ResourceTag/${TagKey}"},
	{Service: "iam", Name: "sms-mfa", ARN: "arn:${Partition}:iam::${Account}:sms-mfa/${MfaTokenIdWithPath}", keys: ""},
	{Service: "iam", Name: "user", ARN: "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}", keys: "aws:ResourceTag/${TagKey} iam:ResourceTag/${TagKey}"},
}
