package sts

import (
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/op"
)

// Service runs the domain's operations. It has no state of its own.
type Service struct {
	Identities *iam.Service // makes temporary credentials
}

// service is the prefix of the domain's actions, and its signing name.
const service = "sts"

// Operations returns the domain's operations, in the order of their names.
func (s *Service) Operations() []op.Any {
	return []op.Any{s.getCallerIdentity(), s.getSessionToken()}
}
