package iam

import (
	"context"
	"maps"
	"slices"
	"strconv"

	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/secret"
)

// createServiceSpecificCredential makes a user name and password for Git over HTTPS. Only
// this answer and that of a reset ever show the password.
func (s *Service) createServiceSpecificCredential() *op.Operation[api.CreateServiceSpecificCredentialInput, api.CreateServiceSpecificCredentialOutput] {
	return &op.Operation[api.CreateServiceSpecificCredentialInput, api.CreateServiceSpecificCredentialOutput]{
		Spec: op.Spec{Service: service, Name: "CreateServiceSpecificCredential", Resource: byOwnUserName, Keys: newCredentialKeys, Identity: true},
		Checks: func(ctx context.Context, c authz.Caller, in *api.CreateServiceSpecificCredentialInput) ([]authz.Check, error) {
			problems := slices.Concat(optional("userName", in.UserName, userNameType), required("serviceName", in.ServiceName, serviceNameType))
			if days := in.CredentialAgeDays; days != nil && (*days < 1 || *days > 36600) {
				problems = append(problems, problem("credentialAgeDays", "have value between 1 and 36600"))
			}
			if err := invalid(problems); err != nil {
				return nil, err
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			values := []authz.Value{{Key: credentialServiceKey, Values: []string{*in.ServiceName}}}
			if in.CredentialAgeDays != nil {
				values = append(values, authz.Value{Key: credentialAgeKey, Values: []string{strconv.Itoa(int(*in.CredentialAgeDays))}})
			}
			return s.forUser(ctx, "CreateServiceSpecificCredential", name, values...)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.CreateServiceSpecificCredentialInput) (*api.CreateServiceSpecificCredentialOutput, error) {
			if *in.ServiceName != GitService {
				return nil, noSuchService(*in.ServiceName)
			}
			if in.CredentialAgeDays != nil {
				return nil, errInvalidInput.New("Credentials for %s do not expire: CredentialAgeDays is not supported.", GitService)
			}
			name, err := ownName(g.Caller(), in.UserName)
			if err != nil {
				return nil, err
			}
			password := secret.NewGitPassword()
			row := ServiceCredential{
				Account: s.Account, ID: secret.NewID(secret.ServiceCredential), Service: GitService,
				Hash: s.Keeper.Hash(password), Active: true, Created: s.now(),
			}
			err = s.Store.Update(ctx, s.Account, func(ctx context.Context, tx Tx) error {
				u, err := s.user(ctx, tx, g, "CreateServiceSpecificCredential", name)
				if err != nil {
					return err
				}
				have, err := tx.ServiceCredentials(ctx, s.Account, u.ID, GitService, Page{Limit: maxCredentials})
				if err != nil {
					return err
				}
				if len(have) >= maxCredentials {
					return overQuota("ServiceSpecificCredentialsPerUser", maxCredentials)
				}
				row.UserID = u.ID
				if row.UserName, err = s.freeServiceUserName(ctx, tx, u.Name); err != nil {
					return err
				}
				return tx.InsertServiceCredential(ctx, row)
			})
			if err != nil {
				return nil, err
			}
			return &api.CreateServiceSpecificCredentialOutput{ServiceSpecificCredential: withPassword(row, name, password)}, nil
		},
	}
}

// newCredentialKeys are the condition keys of the creation of a credential.
var newCredentialKeys = func() map[string]string {
	all := maps.Clone(credentialKeys)
	all[credentialAgeKey] = "credentialAgeDays"
	return all
}()
