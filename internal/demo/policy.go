package demo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// toMaster pushes one new commit to master: whether it lands is the host's decision alone.
func toMaster(o outcome) step {
	return pushes(push{
		what:   "one more commit",
		before: []string{"fetch -q " + origin + " master", "checkout -q -B try FETCH_HEAD", "commit -q --allow-empty -m Try"},
		git:    "push origin try:master",
	}, o)
}

// unprepared is toMaster for somebody who may not even fetch.
func unprepared(o outcome) step {
	return pushes(push{
		what:   "one more commit",
		before: []string{"commit -q --allow-empty -m Try"},
		git:    "push origin try:master",
	}, o)
}

// decides shows that nothing but the policy protects master, and that each change of
// it holds on the next request.
func decides() []step {
	bare := strings.ReplaceAll(juniors, master, "master")
	return []step{
		join(Junior, Approvers),
		toMaster(stopped), // a Deny wins over every Allow
		deletePolicy(Juniors),
		toMaster(passes),
		putPolicy(Juniors, juniors),
		toMaster(stopped),
		leave(Junior, Approvers),
		toMaster(stopped),
		putPolicyThat(Juniors, bare, "   (with the short name, master for refs/heads/master)"),
		toMaster(passes),
		putPolicy(Juniors, juniors),
		toMaster(stopped),
		join(Junior, Approvers),
		leave(Junior, Juniors),
		toMaster(passes),
		leave(Junior, Approvers),
		unprepared(shut), // in no group: nothing is allowed
		join(Junior, Juniors),
		toMaster(stopped),
	}
}

// identities shows that a credential counts for what it is now.
func identities() []step {
	pull := gits(Junior, "works", "fetch origin")
	return []step{
		join(Junior, Approvers),
		deletePolicy(Juniors),
		toMaster(passes),
		setCredential(iamtypes.StatusTypeInactive),
		unprepared(unproven),
		setCredential(iamtypes.StatusTypeActive),
		pull,
		resetCredential(),
		unprepared(unproven),
		newPassword(),
		pull,
		putPolicy(Juniors, juniors),
		toMaster(stopped),
	}
}

func setCredential(status iamtypes.StatusType) step {
	return does("root", "aws iam update-service-specific-credential --user-name "+Junior+" --status "+string(status), string(status),
		func(ctx context.Context, s *stage) (string, error) {
			_, err := s.root.IAM().UpdateServiceSpecificCredential(ctx, &iam.UpdateServiceSpecificCredentialInput{
				UserName: aws.String(Junior), ServiceSpecificCredentialId: &s.junior.CredentialID, Status: status,
			})
			return string(status), err
		})
}

// resetCredential gives the junior's credential another password, which the junior does
// not know yet.
func resetCredential() step {
	return does("root", "aws iam reset-service-specific-credential --user-name "+Junior, "another password; the old one is wrong",
		func(ctx context.Context, s *stage) (string, error) {
			out, err := s.root.IAM().ResetServiceSpecificCredential(ctx, &iam.ResetServiceSpecificCredentialInput{
				UserName: aws.String(Junior), ServiceSpecificCredentialId: &s.junior.CredentialID,
			})
			if err != nil {
				return "", err
			}
			s.password = aws.ToString(out.ServiceSpecificCredential.ServicePassword)
			return "another password", nil
		})
}

func newPassword() step {
	return does(Junior, "types the new password", "it is used from now on", func(_ context.Context, s *stage) (string, error) {
		s.junior.GitPassword = s.password
		return "typed", nil
	})
}
