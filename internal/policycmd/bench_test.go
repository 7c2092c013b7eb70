package policycmd

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// The policies of docs/story.md.
const (
	juniors = `{"Version": "2012-10-17", "Statement": [
		{"Sid": "WorkOnTheRepository", "Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"},
		{"Sid": "KeepOffMaster", "Effect": "Deny", "Action": ["codecommit:GitPush", "codecommit:DeleteBranch", "codecommit:PutFile",
			"codecommit:MergeBranchesByFastForward", "codecommit:MergeBranchesBySquash", "codecommit:MergeBranchesByThreeWay",
			"codecommit:MergePullRequestByFastForward", "codecommit:MergePullRequestBySquash", "codecommit:MergePullRequestByThreeWay"],
			"Resource": "arn:aws:codecommit:*:*:*",
			"Condition": {"StringEqualsIfExists": {"codecommit:References": ["refs/heads/master"]}, "Null": {"codecommit:References": "false"}}}]}`
	approvers = `{"Version": "2012-10-17", "Statement": [
		{"Sid": "Approve", "Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"}]}`
)

// flat is a document without white space; none of its texts has any.
func flat(document string) string {
	return string(bytes.Join(bytes.Fields([]byte(document)), nil))
}

// storyLines are n requests about the story: all outcomes, both groups.
func storyLines(n int) []byte {
	actions := []string{"GitPush", "GitPull", "PutFile", "MergePullRequestByFastForward"}
	groups := []string{flat(juniors), flat(approvers), flat(juniors) + "," + flat(approvers)}
	var b bytes.Buffer
	for i := range n {
		ref := fmt.Sprintf(`, "codecommit:References": ["refs/heads/feature-%d"]`, i)
		switch i % 3 {
		case 0:
			ref = ""
		case 1:
			ref = `, "codecommit:References": "refs/heads/master"`
		}
		repository := "MyDemoRepo"
		if i%7 == 0 {
			repository = "AnotherRepo"
		}
		fmt.Fprintf(&b, `{"id": %d, "policies": [%s], "action": "codecommit:%s", "resource": "arn:aws:codecommit:us-east-1:111122223333:%s", `+
			`"principal": "arn:aws:iam::111122223333:user/juniordev", "context": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/juniordev", `+
			`"aws:username": "juniordev", "aws:SourceIp": "203.0.113.%d", "aws:SecureTransport": "true", "aws:RequestedRegion": "us-east-1"%s}}`+"\n",
			i, groups[i/4%len(groups)], actions[i%len(actions)], repository, i%256, ref)
	}
	return b.Bytes()
}

// BenchmarkDecideLines measures lines of the story from bytes to bytes; run it with
// -cpu 1. A hundred thousand lines are to take ten seconds at most: 100 µs each.
func BenchmarkDecideLines(b *testing.B) {
	const n = 2000
	text := storyLines(n)
	b.SetBytes(int64(len(text)) / n)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += n {
		if err := decideLines(b.Context(), bytes.NewReader(text), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
