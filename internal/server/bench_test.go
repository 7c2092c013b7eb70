package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/sqlstore"
)

const benchPolicy = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"codecommit:*","Resource":"arn:aws:codecommit:us-east-1:123456789012:MyDemoRepo"},
{"Effect":"Deny","Action":["codecommit:GitPush","codecommit:DeleteBranch","codecommit:PutFile"],"Resource":"arn:aws:codecommit:*:*:*",
 "Condition":{"StringEqualsIfExists":{"codecommit:References":["refs/heads/master"]},"Null":{"codecommit:References":"false"}}}]}`

// BenchmarkDecision is one decision as every request makes it: the principal's policies
// from the store, the evaluation, and the entry in the decision log, of a read and of a
// write, whose entry is on disk first.
func BenchmarkDecision(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "data")
	keeper, err := secret.OpenKeeper(dir, secret.Text{})
	if err != nil {
		b.Fatal(err)
	}
	db, err := sqlstore.Open(b.Context(), sqlstore.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	decisions := db.OpenDecisions(b.Context(), log)
	b.Cleanup(func() {
		if err := decisions.Close(); err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	identities := &iam.Service{Store: db.IAM(), Keeper: keeper, Partition: partition, Account: "123456789012", Now: time.Now, Log: log}
	if err := identities.EnsureAccount(b.Context()); err != nil {
		b.Fatal(err)
	}
	u := iam.User{Account: identities.Account, ID: secret.NewID(secret.User), Name: "dev", Path: "/", Created: time.Now()}
	err = db.IAM().Update(b.Context(), u.Account, func(ctx context.Context, tx iam.Tx) error {
		if err := tx.InsertUser(ctx, u); err != nil {
			return err
		}
		return tx.PutInlinePolicy(ctx, u.Account, u.ID, iam.InlinePolicy{Name: "dev", Document: benchPolicy})
	})
	if err != nil {
		b.Fatal(err)
	}
	authorizer := &authz.Authorizer{Source: identities, Log: countedLog{decisions, newMetrics()}, Now: time.Now}
	caller := authz.Caller{
		Principal: authz.Principal{
			Kind: authz.User, Account: u.Account, UserID: u.ID, Name: u.Name,
			ARN: arn.ARN{Partition: partition, Service: "iam", Account: u.Account, Resource: "user/dev"},
		},
		Region: DefaultRegion, RequestID: "benchmark",
	}
	repository := arn.ARN{Partition: partition, Service: "codecommit", Region: DefaultRegion, Account: u.Account, Resource: "MyDemoRepo"}
	for name, check := range map[string]authz.Check{
		"read":  {Action: "codecommit:GetBranch", Resource: repository},
		"write": {Action: "codecommit:GitPush", Resource: repository, Values: []authz.Value{{Key: "codecommit:References", Values: []string{"refs/heads/feature"}}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := authorizer.Authorize(b.Context(), caller, check); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
