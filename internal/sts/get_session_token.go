package sts

import (
	"context"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
)

// How long the credentials of GetSessionToken are good for (STS API reference).
const (
	leastSession   = 15 * time.Minute
	mostSession    = 36 * time.Hour
	usualSession   = 12 * time.Hour
	mostForTheRoot = time.Hour
)

// getSessionToken gives a user temporary credentials with the user's own permissions,
// less those that package authz withholds from every session. No policy can forbid it:
// it authenticates. What they are used for, policies decide.
func (s *Service) getSessionToken() *op.Operation[api.GetSessionTokenInput, api.GetSessionTokenOutput] {
	return &op.Operation[api.GetSessionTokenInput, api.GetSessionTokenOutput]{
		Spec: op.Spec{
			Service: service, Name: "GetSessionToken", Resource: "none",
			Always: "policies do not control authentication, but temporary credentials cannot make others",
		},
		Checks: func(_ context.Context, c authz.Caller, in *api.GetSessionTokenInput) ([]authz.Check, error) {
			if _, err := lifetime(c, in.DurationSeconds); err != nil {
				return nil, err
			}
			check := authz.Check{Action: "sts:GetSessionToken"}
			if c.Principal.Session.Temporary() {
				check.Way = "Cannot call GetSessionToken with session credentials"
			}
			return []authz.Check{check}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.GetSessionTokenInput) (*api.GetSessionTokenOutput, error) {
			if err := noDevice(in); err != nil {
				return nil, err
			}
			d, err := lifetime(g.Caller(), in.DurationSeconds)
			if err != nil {
				return nil, err
			}
			made, err := s.Identities.IssueSession(ctx, g.Caller(), d)
			if err != nil {
				return nil, err
			}
			return &api.GetSessionTokenOutput{Credentials: &types.Credentials{
				AccessKeyId: &made.AccessKeyID, SecretAccessKey: new(made.Secret.Reveal()), SessionToken: new(made.Token.Reveal()), Expiration: &made.Expires,
			}}, nil
		},
	}
}

// lifetime returns how long the credentials are to be good for. Root's are shortened to
// an hour, not refused.
func lifetime(c authz.Caller, seconds *int32) (time.Duration, error) {
	d := usualSession
	if seconds != nil {
		d = time.Duration(*seconds) * time.Second
	}
	const problem = "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value %s than or equal to %d"
	switch {
	case d < leastSession:
		return 0, fault.ValidationError.New(problem, *seconds, "greater", leastSession/time.Second)
	case d > mostSession:
		return 0, fault.ValidationError.New(problem, *seconds, "less", mostSession/time.Second)
	case c.Principal.Kind == authz.Root:
		return min(d, mostForTheRoot), nil
	}
	return d, nil
}

// noDevice refuses a second factor: the host has none yet, so that no serial number and
// no code is right. One that was ignored would let its user believe in it.
func noDevice(in *api.GetSessionTokenInput) error {
	switch {
	case in.SerialNumber == nil && in.TokenCode == nil:
		return nil
	case in.SerialNumber == nil || in.TokenCode == nil:
		return fault.AccessDenied.New("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	default:
		return fault.AccessDenied.New("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	}
}
