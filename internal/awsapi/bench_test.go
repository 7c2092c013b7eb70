package awsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// BenchmarkGetBranch decodes the input and encodes the output of CodeCommit's GetBranch.
func BenchmarkGetBranch(b *testing.B) {
	var c jsonCodec
	body := []byte(`{"repositoryName": "payments", "branchName": "release/2026-11"}`)
	out := &codecommit.GetBranchOutput{Branch: &types.BranchInfo{
		BranchName: aws.String("release/2026-11"), CommitId: aws.String("4c925148a3f2a4b7c4a2c5c3a0ad1bbdd5b0a5ab"),
	}}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.decode(body, &codecommit.GetBranchInput{}); err != nil {
			b.Fatal(err)
		}
		if _, err := c.encode(out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetCallerIdentity decodes the input and encodes the output of STS's
// GetCallerIdentity.
func BenchmarkGetCallerIdentity(b *testing.B) {
	var c queryCodec
	s, out := serviceNamed("sts"), callerIdentity()
	b.ReportAllocs()
	for b.Loop() {
		if err := decodeForm("Action=GetCallerIdentity&Version=2011-06-15", &sts.GetCallerIdentityInput{}); err != nil {
			b.Fatal(err)
		}
		if _, err := c.encode(s, "GetCallerIdentity", requestID, out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutFile decodes a file of a megabyte.
func BenchmarkPutFile(b *testing.B) {
	var c jsonCodec
	var w jsonWriter
	in := &codecommit.PutFileInput{RepositoryName: aws.String("payments"), FileContent: make([]byte, 1<<20)}
	in.Serialize(&w)
	b.SetBytes(int64(len(w.buf)))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.decode(w.buf, &codecommit.PutFileInput{}); err != nil {
			b.Fatal(err)
		}
	}
}
