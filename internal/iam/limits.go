package iam

// The quotas of an account ("IAM and AWS STS quotas" in the IAM User Guide).
const (
	maxUsers             = 5000
	maxGroups            = 300
	maxGroupsOfUser      = 10
	maxTags              = 50
	maxAccessKeys        = 2
	maxCredentials       = 2 // service-specific, for each service
	maxSSHPublicKeys     = 5
	maxUserPolicySize    = 2048 // characters but white space, of all inline policies together
	maxGroupPolicySize   = 5120
	maxInlinePolicyCount = maxGroupPolicySize // each has a character or more
)
