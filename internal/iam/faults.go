package iam

import "github.com/refward/refward/internal/fault"

// The codes of the IAM API (its API reference, "Common errors" and each action's
// errors) beside those that all services share.
var (
	errNoSuchEntity               = fault.Code{Name: "NoSuchEntity", Kind: fault.NotFound}
	errEntityAlreadyExists        = fault.Code{Name: "EntityAlreadyExists", Kind: fault.Conflict}
	errDeleteConflict             = fault.Code{Name: "DeleteConflict", Kind: fault.Conflict}
	errLimitExceeded              = fault.Code{Name: "LimitExceeded", Kind: fault.Limit}
	errConcurrentModification     = fault.Code{Name: "ConcurrentModification", Kind: fault.Conflict}
	errMalformedPolicyDocument    = fault.Code{Name: "MalformedPolicyDocument", Kind: fault.Invalid}
	errInvalidInput               = fault.Code{Name: "InvalidInput", Kind: fault.Invalid}
	errInvalidPublicKey           = fault.Code{Name: "InvalidPublicKey", Kind: fault.Invalid}
	errUnrecognizedPublicKeyShape = fault.Code{Name: "UnrecognizedPublicKeyEncoding", Kind: fault.Invalid}
	errDuplicateSSHPublicKey      = fault.Code{Name: "DuplicateSSHPublicKey", Kind: fault.Invalid}
)

// The sentences that more than one operation answers with. They are AWS's, because
// clients and tests compare them.

func noSuchUser(name string) error {
	return errNoSuchEntity.New("The user with name %s cannot be found.", name)
}

func noSuchGroup(name string) error {
	return errNoSuchEntity.New("The group with name %s cannot be found.", name)
}

func noSuchAccessKey(id string) error {
	return errNoSuchEntity.New("The Access Key with id %s cannot be found.", id)
}

func noSuchSSHPublicKey(id string) error {
	return errNoSuchEntity.New("The Public Key with id %s cannot be found.", id)
}

func noSuchCredential(id string) error {
	return errNoSuchEntity.New("No such credential %s exists", id)
}

func noSuchService(name string) error {
	return errNoSuchEntity.New("No such service %s is supported for Service Specific Credentials", name)
}

func userExists(name string) error {
	return errEntityAlreadyExists.New("User with name %s already exists.", name)
}

func groupExists(name string) error {
	return errEntityAlreadyExists.New("Group with name %s already exists.", name)
}

func overQuota(quota string, most int) error {
	return errLimitExceeded.New("Cannot exceed quota for %s: %d", quota, most)
}

func undeletable(first string) error {
	return errDeleteConflict.New("Cannot delete entity, must %s first.", first)
}

// changedMeanwhile answers for an entity that was exchanged for another of the same
// name after the check was made: what was allowed is not what would be changed.
func changedMeanwhile(what, name string) error {
	return errConcurrentModification.New("The %s %s was changed by another request. Try again.", what, name)
}
