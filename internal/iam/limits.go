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

// The bounds of one simulation. AWS documents none; these keep it within seconds and
// megabytes, whatever it is given.
const (
	maxSimulatedPairs   = 1000    // actions × resources
	maxPolicyInput      = 131_072 // bytes of the documents of one list together
	maxPolicyInputCount = 100
	maxContextEntries   = 200
	maxContextSize      = 16_384 // bytes of names and values together

	// maxSimulationWork bounds what a careless or hostile input can cost: pairs × bytes
	// of policies × bytes of the request that they are compared with.
	maxSimulationWork = 1 << 29

	// maxSimulationEntries bounds the statements and missing keys that one page lists,
	// were every statement to match. A page ends before it has more.
	maxSimulationEntries = 50_000
)
