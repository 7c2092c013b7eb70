package server

import (
	"context"
	"fmt"

	"github.com/refward/refward/internal/iam"
)

// ensureRoot sees to it that the account exists and that its root user has an access
// key. One that was made is shown once, and kept in a file for its owner alone.
func (s *Server) ensureRoot(ctx context.Context, identities *iam.Service) error {
	if err := identities.EnsureAccount(ctx); err != nil {
		return err
	}
	made, err := identities.EnsureRoot(ctx, s.cfg.RootAccessKeyID, s.cfg.RootSecretAccessKey)
	if err != nil || made.ID == "" {
		return err
	}
	if err := s.dir.writeRootCredentials(made.ID, made.Secret); err != nil {
		return err
	}
	fmt.Fprintf(s.cfg.Out, "Account %s is new. The access key of its root user, shown once and kept in %s:\n"+
		"  AWS_ACCESS_KEY_ID=%s\n  AWS_SECRET_ACCESS_KEY=%s\n",
		s.account, s.dir.join(rootCredentialsFile), made.ID, made.Secret.Reveal())
	return nil
}
