package sts_test

import (
	"context"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/sts"
)

// decisions is a decision log in memory.
type decisions []authz.Entry

func (d *decisions) Append(_ context.Context, entries ...authz.Entry) error {
	*d = append(*d, entries...)
	return nil
}

// It is answered to whoever is identified, without a look at any policy.
func TestGetCallerIdentity(t *testing.T) {
	table, err := op.NewTable((&sts.Service{}).Operations())
	if err != nil {
		t.Fatal(err)
	}
	o, ok := table.Lookup("sts", "GetCallerIdentity")
	if !ok {
		t.Fatal("no such operation")
	}
	log := &decisions{}
	a := &authz.Authorizer{Log: log, Now: func() time.Time { return time.Unix(0, 0) }} // no source: asking it would panic
	me := func(resource string) arn.ARN {
		return arn.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: resource}
	}
	for _, p := range []authz.Principal{
		{Kind: authz.Root, Account: "111122223333", ARN: me("root"), UserID: "111122223333"},
		{Kind: authz.User, Account: "111122223333", ARN: me("user/dev/ann"), UserID: "AIDA1", Name: "ann"},
	} {
		out, err := o.InvokeAny(t.Context(), a, authz.Caller{Principal: p}, &api.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		got := out.(*api.GetCallerIdentityOutput)
		if *got.Account != p.Account || *got.Arn != p.ARN.String() || *got.UserId != p.UserID {
			t.Errorf("%s is told %s, %s, %s", p.ARN, *got.Account, *got.Arn, *got.UserId)
		}
	}
	if len(*log) != 2 || (*log)[1].Action != "sts:GetCallerIdentity" {
		t.Errorf("logged %+v", *log)
	}
	if _, err := o.InvokeAny(t.Context(), a, authz.Caller{}, &api.GetCallerIdentityInput{}); !fault.Has(err, fault.MissingAuthenticationToken) {
		t.Errorf("nobody is answered: %v", err)
	}
}
