package iam

import (
	"context"
	"fmt"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// listServiceSpecificCredentials lists credentials without their passwords: those of one
// user, of the caller without a user name, or of all users.
func (s *Service) listServiceSpecificCredentials() *op.Operation[api.ListServiceSpecificCredentialsInput, api.ListServiceSpecificCredentialsOutput] {
	return &op.Operation[api.ListServiceSpecificCredentialsInput, api.ListServiceSpecificCredentialsOutput]{
		Spec: op.Spec{Service: service, Name: "ListServiceSpecificCredentials", Resource: "userName, or the caller, or every user with allUsers", Keys: userKeys},
		Checks: func(ctx context.Context, c authz.Caller, in *api.ListServiceSpecificCredentialsInput) ([]authz.Check, error) {
			problems := slices.Concat(optional("userName", in.UserName, userNameType), optional("serviceName", in.ServiceName, serviceNameType))
			if everyone(in) && in.UserName != nil {
				problems = append(problems, problem("userName", "be null when allUsers is set"))
			}
			if err := invalid(problems); err != nil {
				return nil, err
			}
			if _, err := s.listing(credentialListing(in), in.MaxItems, in.Marker); err != nil {
				return nil, err
			}
			if everyone(in) {
				return []authz.Check{{Action: "iam:ListServiceSpecificCredentials", Resource: s.userARN("/", "*")}}, nil
			}
			name, err := ownName(c, in.UserName)
			if err != nil {
				return nil, err
			}
			return s.forUser(ctx, "ListServiceSpecificCredentials", name)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.ListServiceSpecificCredentialsInput) (*api.ListServiceSpecificCredentialsOutput, error) {
			if name := textOr(in.ServiceName, GitService); name != GitService {
				return nil, noSuchService(name)
			}
			l, err := s.listing(credentialListing(in), in.MaxItems, in.Marker)
			if err != nil {
				return nil, err
			}
			var shown []types.ServiceSpecificCredentialMetadata
			var marker *string
			err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
				var userID string // empty: of every user
				if !everyone(in) {
					u, err := s.callersOr(ctx, tx, g, "ListServiceSpecificCredentials", in.UserName)
					if err != nil {
						return err
					}
					userID = u.ID
				}
				rows, err := tx.ServiceCredentials(ctx, s.Account, userID, textOr(in.ServiceName, ""), l.page())
				if err != nil {
					return err
				}
				rows, marker = cut(s, l, rows, func(c ServiceCredential) string { return c.ID })
				for _, row := range rows {
					u, err := tx.UserByID(ctx, s.Account, row.UserID)
					if err != nil {
						return err
					}
					shown = append(shown, credentialMetadata(row, u.Name))
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			return &api.ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: shown, Marker: marker, IsTruncated: marker != nil}, nil
		},
	}
}

func everyone(in *api.ListServiceSpecificCredentialsInput) bool {
	return in.AllUsers != nil && *in.AllUsers
}

// credentialListing is what a marker of the listing is good for.
func credentialListing(in *api.ListServiceSpecificCredentialsInput) string {
	return fmt.Sprintf("ListServiceSpecificCredentials %t %s %s", everyone(in), textOr(in.UserName, ""), textOr(in.ServiceName, ""))
}
