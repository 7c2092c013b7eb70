package iam

import "github.com/refward/refward/internal/op"

// Operations returns the domain's operations, in the order of their names.
func (s *Service) Operations() []op.Any {
	return []op.Any{
		s.addUserToGroup(),
		s.createAccessKey(),
		s.createGroup(),
		s.createServiceSpecificCredential(),
		s.createUser(),
		s.deleteAccessKey(),
		s.deleteGroup(),
		s.deleteGroupPolicy(),
		s.deleteServiceSpecificCredential(),
		s.deleteSSHPublicKey(),
		s.deleteUser(),
		s.deleteUserPolicy(),
		s.getGroup(),
		s.getGroupPolicy(),
		s.getSSHPublicKey(),
		s.getUser(),
		s.getUserPolicy(),
		s.listAccessKeys(),
		s.listGroupPolicies(),
		s.listGroups(),
		s.listGroupsForUser(),
		s.listServiceSpecificCredentials(),
		s.listSSHPublicKeys(),
		s.listUserPolicies(),
		s.listUserTags(),
		s.listUsers(),
		s.putGroupPolicy(),
		s.putUserPolicy(),
		s.removeUserFromGroup(),
		s.resetServiceSpecificCredential(),
		s.tagUser(),
		s.untagUser(),
		s.updateAccessKey(),
		s.updateGroup(),
		s.updateServiceSpecificCredential(),
		s.updateSSHPublicKey(),
		s.updateUser(),
		s.uploadSSHPublicKey(),
	}
}
