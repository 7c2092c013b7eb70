package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/person"
)

// setUpWriters makes the story's repository and a group that may do anything on it, and
// returns the clone URL.
func setUpWriters(t testing.TB, root *person.Person, p person.Place, account string) string {
	t.Helper()
	ctx := t.Context()
	group := aws.String(demo.Approvers)
	if _, err := root.IAM().CreateGroup(ctx, &iam.CreateGroupInput{GroupName: group}); err != nil {
		t.Fatal(err)
	}
	_, err := root.IAM().PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: group, PolicyName: group, PolicyDocument: aws.String(demo.ApproversPolicy(p, account)),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := root.CodeCommit().CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: aws.String(demo.Repository)})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.RepositoryMetadata.CloneUrlHttp)
}

func addToGroup(t testing.TB, root *person.Person, user, group string) {
	t.Helper()
	if _, err := root.IAM().AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{GroupName: &group, UserName: &user}); err != nil {
		t.Fatal(err)
	}
}
