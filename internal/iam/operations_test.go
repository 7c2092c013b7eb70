package iam_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy/catalog"
)

func typeName(v any) string { return fmt.Sprintf("%T", v) }

const (
	aKeyID     = "AKIAAAAAAAAAAAAAAAAA"
	aCredID    = "ACCAAAAAAAAAAAAAAAAAA"
	aPublicKey = "APKAAAAAAAAAAAAAAAAAA"
	anyPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
)

// everyOperation is one valid input of each operation, about a user or group called
// name, with the resources that it must be checked on. A user and a group of that name
// are under /p/ if they exist.
func everyOperation(name, path string) []struct {
	in        any
	resources []string
} {
	u, g := "arn:aws:iam::"+account+":user"+path+name, "arn:aws:iam::"+account+":group"+path+name
	n := &name
	return []struct {
		in        any
		resources []string
	}{
		{&api.AddUserToGroupInput{GroupName: n, UserName: n}, []string{g}},
		{&api.CreateAccessKeyInput{UserName: n}, []string{u}},
		{&api.CreateGroupInput{GroupName: n, Path: aws.String("/new/")}, []string{"arn:aws:iam::" + account + ":group/new/" + name}},
		{&api.CreateServiceSpecificCredentialInput{UserName: n, ServiceName: aws.String("codecommit.amazonaws.com")}, []string{u}},
		{&api.CreateUserInput{UserName: n, Path: aws.String("/new/")}, []string{"arn:aws:iam::" + account + ":user/new/" + name}},
		{&api.DeleteAccessKeyInput{UserName: n, AccessKeyId: aws.String(aKeyID)}, []string{u}},
		{&api.DeleteGroupInput{GroupName: n}, []string{g}},
		{&api.DeleteGroupPolicyInput{GroupName: n, PolicyName: n}, []string{g}},
		{&api.DeleteServiceSpecificCredentialInput{UserName: n, ServiceSpecificCredentialId: aws.String(aCredID)}, []string{u}},
		{&api.DeleteSSHPublicKeyInput{UserName: n, SSHPublicKeyId: aws.String(aPublicKey)}, []string{u}},
		{&api.DeleteUserInput{UserName: n}, []string{u}},
		{&api.DeleteUserPolicyInput{UserName: n, PolicyName: n}, []string{u}},
		{&api.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{anyPolicy}}, []string{"*"}},
		{&api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: &u}, []string{u}},
		{&api.GetGroupInput{GroupName: n}, []string{g}},
		{&api.GetGroupPolicyInput{GroupName: n, PolicyName: n}, []string{g}},
		{&api.GetSSHPublicKeyInput{UserName: n, SSHPublicKeyId: aws.String(aPublicKey), Encoding: types.EncodingTypeSsh}, []string{u}},
		{&api.GetUserInput{UserName: n}, []string{u}},
		{&api.GetUserPolicyInput{UserName: n, PolicyName: n}, []string{u}},
		{&api.ListAccessKeysInput{UserName: n}, []string{u}},
		{&api.ListGroupPoliciesInput{GroupName: n}, []string{g}},
		{&api.ListGroupsInput{}, []string{"*"}},
		{&api.ListGroupsForUserInput{UserName: n}, []string{u}},
		{&api.ListServiceSpecificCredentialsInput{UserName: n}, []string{u}},
		{&api.ListSSHPublicKeysInput{UserName: n}, []string{u}},
		{&api.ListUserPoliciesInput{UserName: n}, []string{u}},
		{&api.ListUserTagsInput{UserName: n}, []string{u}},
		{&api.ListUsersInput{PathPrefix: aws.String("/p/")}, []string{"*"}},
		{&api.PutGroupPolicyInput{GroupName: n, PolicyName: n, PolicyDocument: aws.String(anyPolicy)}, []string{g}},
		{&api.PutUserPolicyInput{UserName: n, PolicyName: n, PolicyDocument: aws.String(anyPolicy)}, []string{u}},
		{&api.RemoveUserFromGroupInput{GroupName: n, UserName: n}, []string{g}},
		{&api.ResetServiceSpecificCredentialInput{UserName: n, ServiceSpecificCredentialId: aws.String(aCredID)}, []string{u}},
		{&api.SimulateCustomPolicyInput{PolicyInputList: []string{anyPolicy}, ActionNames: []string{"iam:GetUser"}}, []string{"*"}},
		{&api.SimulatePrincipalPolicyInput{PolicySourceArn: &u, ActionNames: []string{"iam:GetUser"}}, []string{u}},
		{&api.TagUserInput{UserName: n, Tags: []types.Tag{{Key: n, Value: n}}}, []string{u}},
		{&api.UntagUserInput{UserName: n, TagKeys: []string{name}}, []string{u}},
		{&api.UpdateAccessKeyInput{UserName: n, AccessKeyId: aws.String(aKeyID), Status: types.StatusTypeInactive}, []string{u}},
		{&api.UpdateGroupInput{GroupName: n, NewGroupName: aws.String("other")}, []string{g, "arn:aws:iam::" + account + ":group" + path + "other"}},
		{&api.UpdateServiceSpecificCredentialInput{UserName: n, ServiceSpecificCredentialId: aws.String(aCredID), Status: types.StatusTypeActive}, []string{u}},
		{&api.UpdateSSHPublicKeyInput{UserName: n, SSHPublicKeyId: aws.String(aPublicKey), Status: types.StatusTypeActive}, []string{u}},
		{&api.UpdateUserInput{UserName: n, NewPath: aws.String("/q/")}, []string{u, "arn:aws:iam::" + account + ":user/q/" + name}},
		{&api.UploadSSHPublicKeyInput{UserName: n, SSHPublicKeyBody: aws.String(ed25519Key)}, []string{u}},
	}
}

// Each operation is checked by its own action, on the ARN of what it is about, before
// it tells whether that exists, and a caller without policies may do nothing.
func TestEveryOperationAsksFirst(t *testing.T) {
	h := newHost(t)
	nobody := user(t, h, "nobody")
	name := "there"
	setUp(t, h, &api.CreateUserInput{UserName: &name, Path: aws.String("/p/")}, &api.CreateGroupInput{GroupName: &name, Path: aws.String("/p/")})
	h.decisions.asked()
	for name, path := range map[string]string{"there": "/p/", "missing": "/"} {
		var listed []string
		for _, tc := range everyOperation(name, path) {
			operation := operationOf(tc.in)
			listed = append(listed, operation)
			_, err := invoke(t, h, nobody, tc.in)
			if !fault.Has(err, fault.AccessDenied) {
				t.Errorf("%s on %s: got %v, want AccessDenied", operation, name, err)
			}
			var want []string
			for _, r := range tc.resources {
				want = append(want, "iam:"+operation+" "+r)
			}
			if d := cmp.Diff(want, h.decisions.asked()); d != "" {
				t.Errorf("%s on %s asks (-want +got):\n%s", operation, name, d)
			}
		}
		slices.Sort(listed)
		var have []string
		for _, o := range h.table.All() {
			have = append(have, o.Row().Name)
		}
		if d := cmp.Diff(have, listed); d != "" {
			t.Errorf("operations that are not tested (-have +tested):\n%s", d)
		}
	}
}

// The rows of the table agree with the catalog.
func TestTableAndCatalog(t *testing.T) {
	h := newHost(t)
	for _, o := range h.table.All() {
		row := o.Row()
		a, ok := catalog.Lookup(row.IAMActions()[0])
		if !ok {
			t.Errorf("%s is no action of the catalog", row.IAMActions()[0])
			continue
		}
		if row.Identity && a.Access.Reads() {
			t.Errorf("%s only reads and cannot change who may do what", row.Name)
		}
		if !a.Access.Reads() && !row.Identity && row.Name != "CreateGroup" {
			t.Errorf("%s writes, and is not marked to change who may do what", row.Name)
		}
		for key := range row.Keys {
			if !slices.Contains(a.Keys, key) {
				t.Errorf("%s sends %s, which the catalog does not list for it", row.Name, key)
			}
		}
		if row.Resource == "" {
			t.Errorf("%s does not say where its resource comes from", row.Name)
		}
	}
}

// A deletion, a policy and a rename of something that is not there have AWS's answers.
func TestMissing(t *testing.T) {
	h := newHost(t)
	setUp(t, h, &api.CreateUserInput{UserName: aws.String("u")}, &api.CreateGroupInput{GroupName: aws.String("g")})
	u, g := aws.String("u"), aws.String("g")
	for _, tc := range everyOperation("x", "/") {
		operation := operationOf(tc.in)
		if operation == "CreateUser" || operation == "CreateGroup" || tc.resources[0] == "*" {
			continue
		}
		_, err := invoke(t, h, h.root(), tc.in)
		want := "The user with name x cannot be found."
		if tc.resources[0] == "arn:aws:iam::"+account+":group/x" {
			want = "The group with name x cannot be found."
		}
		wantFault(t, operation, err, "NoSuchEntity", want)
	}
	for _, tc := range []struct {
		in   any
		want string
	}{
		{&api.AddUserToGroupInput{GroupName: g, UserName: aws.String("x")}, "The user with name x cannot be found."},
		{&api.AddUserToGroupInput{GroupName: g, UserName: aws.String("U")}, "The user with name U cannot be found."},
		{&api.RemoveUserFromGroupInput{GroupName: g, UserName: u}, "User u is not in group g."},
		{&api.GetUserPolicyInput{UserName: u, PolicyName: aws.String("p")}, "The user policy with name p cannot be found."},
		{&api.DeleteUserPolicyInput{UserName: u, PolicyName: aws.String("p")}, "The user policy with name p cannot be found."},
		{&api.GetGroupPolicyInput{GroupName: g, PolicyName: aws.String("p")}, "The group policy with name p cannot be found."},
		{&api.DeleteGroupPolicyInput{GroupName: g, PolicyName: aws.String("p")}, "The group policy with name p cannot be found."},
		{&api.DeleteAccessKeyInput{UserName: u, AccessKeyId: aws.String(aKeyID)}, "The Access Key with id " + aKeyID + " cannot be found."},
		{&api.UpdateAccessKeyInput{UserName: u, AccessKeyId: aws.String(aKeyID), Status: "Active"}, "The Access Key with id " + aKeyID + " cannot be found."},
		{&api.UpdateServiceSpecificCredentialInput{UserName: u, ServiceSpecificCredentialId: aws.String(aCredID), Status: "Active"}, "No such credential " + aCredID + " exists"},
		{&api.ResetServiceSpecificCredentialInput{UserName: u, ServiceSpecificCredentialId: aws.String(aCredID)}, "No such credential " + aCredID + " exists"},
		{&api.DeleteServiceSpecificCredentialInput{UserName: u, ServiceSpecificCredentialId: aws.String(aCredID)}, "No such credential " + aCredID + " exists"},
		{&api.CreateServiceSpecificCredentialInput{UserName: u, ServiceName: aws.String("cassandra.amazonaws.com")},
			"No such service cassandra.amazonaws.com is supported for Service Specific Credentials"},
		{&api.ListServiceSpecificCredentialsInput{UserName: u, ServiceName: aws.String("s3")}, "No such service s3 is supported for Service Specific Credentials"},
		{&api.GetSSHPublicKeyInput{UserName: u, SSHPublicKeyId: aws.String(aPublicKey), Encoding: "PEM"}, "The Public Key with id " + aPublicKey + " cannot be found."},
		{&api.DeleteSSHPublicKeyInput{UserName: u, SSHPublicKeyId: aws.String(aPublicKey)}, "The Public Key with id " + aPublicKey + " cannot be found."},
		{&api.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::" + account + ":group/x"), ActionNames: []string{"iam:GetUser"}},
			"The group with name x cannot be found."},
		{&api.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::" + account + ":role/p/x"), ActionNames: []string{"iam:GetUser"}},
			"The role with name x cannot be found."},
		{&api.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::" + account + ":user/p/u"), ActionNames: []string{"iam:GetUser"}},
			"The user with name u cannot be found."},
		{&api.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::999922223333:user/u"), ActionNames: []string{"iam:GetUser"}},
			"The user with name u cannot be found."},
		{&api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::" + account + ":group/q/g")}, "The group with name g cannot be found."},
		{&api.CreateUserInput{UserName: aws.String("y"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")},
			"Scope ARN: arn:aws:iam::aws:policy/ReadOnlyAccess does not exist or is not attachable."},
	} {
		_, err := invoke(t, h, h.root(), tc.in)
		wantFault(t, operationOf(tc.in), err, "NoSuchEntity", tc.want)
	}
}
