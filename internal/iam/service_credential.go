package iam

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/secret"
)

// freeServiceUserName returns the name that a Git client gives for a new credential:
// user-at-account, or user+1-at-account and so on where that is taken, also by a user
// who has another name now: credentials keep theirs.
func (s *Service) freeServiceUserName(ctx context.Context, tx Reader, user string) (string, error) {
	name := user + "-at-" + s.Account
	for n := 1; ; n++ {
		taken, err := tx.HasServiceUserName(ctx, name)
		if err != nil || !taken {
			return name, err
		}
		name = user + "+" + strconv.Itoa(n) + "-at-" + s.Account
	}
}

// The condition keys of operations on service-specific credentials.
const (
	credentialServiceKey = "iam:ServiceSpecificCredentialServiceName"
	credentialAgeKey     = "iam:ServiceSpecificCredentialAgeDays"
)

// forCredential asks for an action on the user of a credential, all of which are for
// one service here.
func (s *Service) forCredential(ctx context.Context, action, name string) ([]authz.Check, error) {
	return s.forUser(ctx, action, name, authz.Value{Key: credentialServiceKey, Values: []string{GitService}})
}

// credential reads a credential of the user. Another's is as good as none.
func (s *Service) credential(ctx context.Context, tx Reader, u User, id string) (ServiceCredential, error) {
	c, err := tx.ServiceCredential(ctx, s.Account, id)
	if errors.Is(err, ErrNotFound) || err == nil && c.UserID != u.ID {
		return ServiceCredential{}, noSuchCredential(id)
	}
	return c, err
}

// withPassword is a credential as the two answers show it that show its password.
func withPassword(c ServiceCredential, user string, password secret.Text) *types.ServiceSpecificCredential {
	return &types.ServiceSpecificCredential{
		CreateDate: &c.Created, ServiceName: &c.Service, ServiceSpecificCredentialId: &c.ID,
		Status: shownStatus(c.Active), UserName: &user,
		ServiceUserName: &c.UserName, ServicePassword: new(password.Reveal()),
	}
}

func credentialMetadata(c ServiceCredential, user string) types.ServiceSpecificCredentialMetadata {
	return types.ServiceSpecificCredentialMetadata{
		CreateDate: &c.Created, ServiceName: &c.Service, ServiceSpecificCredentialId: &c.ID,
		Status: shownStatus(c.Active), UserName: &user, ServiceUserName: &c.UserName,
	}
}
