package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

// does is a call of the API that works; the function says in a few words what came of
// it.
func does(who, what, want string, call func(ctx context.Context, s *stage) (string, error)) step {
	return step{who, what, want, func(ctx context.Context, s *stage) (seen, error) {
		text, err := call(ctx, s)
		return seen{text, err == nil}, err
	}}
}

// refused is a call of the API that is answered with an error of a code, whose message
// holds every one of the words.
func refused(who, what, code string, words []string, call func(ctx context.Context, s *stage) error) step {
	want := code
	if len(words) > 0 {
		want += ", naming " + strings.Join(words, ", ")
	}
	return step{who, what, want, func(ctx context.Context, s *stage) (seen, error) {
		err := call(ctx, s)
		answer, ok := errors.AsType[smithy.APIError](err)
		if !ok {
			return seen{text: fmt.Sprintf("no error of the service: %v", err)}, nil
		}
		return seen{answer.ErrorCode() + ": " + answer.ErrorMessage(), answer.ErrorCode() == code && holds(answer.ErrorMessage(), words)}, nil
	}}
}

func holds(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func putPolicy(group, document string) step { return putPolicyThat(group, document, "") }

// putPolicyThat is putPolicy with a word on what is particular about the document.
func putPolicyThat(group, document, note string) step {
	return does("root", "aws iam put-group-policy --group-name "+group+" --policy-name "+policyOf[group]+note, "it holds from the next request on",
		func(ctx context.Context, s *stage) (string, error) { return "put", s.putPolicy(ctx, group, document) })
}

func (s *stage) putPolicy(ctx context.Context, group, document string) error {
	_, err := s.root.IAM().PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: &group, PolicyName: aws.String(policyOf[group]), PolicyDocument: aws.String(fill(document, s.place, s.account)),
	})
	return err
}

func deletePolicy(group string) step {
	return does("root", "aws iam delete-group-policy --group-name "+group+" --policy-name "+policyOf[group], "it is gone for the next request",
		func(ctx context.Context, s *stage) (string, error) {
			_, err := s.root.IAM().DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: &group, PolicyName: aws.String(policyOf[group])})
			return "deleted", err
		})
}

func join(user, group string) step {
	return does("root", "aws iam add-user-to-group --group-name "+group+" --user-name "+user, "a member",
		func(ctx context.Context, s *stage) (string, error) {
			_, err := s.root.IAM().AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &user})
			return "added", err
		})
}

func leave(user, group string) step {
	return does("root", "aws iam remove-user-from-group --group-name "+group+" --user-name "+user, "no member",
		func(ctx context.Context, s *stage) (string, error) {
			_, err := s.root.IAM().RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: &group, UserName: &user})
			return "removed", err
		})
}

func makeGroup(group string) step {
	return does("root", "aws iam create-group --group-name "+group, "its ARN",
		func(ctx context.Context, s *stage) (string, error) {
			out, err := s.root.IAM().CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group})
			if err != nil {
				return "", err
			}
			return aws.ToString(out.Group.Arn), nil
		})
}
