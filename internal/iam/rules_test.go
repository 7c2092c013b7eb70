package iam_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The texts that are AWS's own are compared word by word: clients do.
func TestRules(t *testing.T) {
	u, g, p := aws.String("u"), aws.String("g"), aws.String("p")
	addUser, addGroup := &api.CreateUserInput{UserName: u}, &api.CreateGroupInput{GroupName: g}
	put := func(document string) *api.PutUserPolicyInput {
		return &api.PutUserPolicyInput{UserName: u, PolicyName: p, PolicyDocument: &document}
	}
	tagged := func(n, from int) *api.TagUserInput {
		in := &api.TagUserInput{UserName: u}
		for i := range n {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(fmt.Sprint("k", from+i)), Value: aws.String("")})
		}
		return in
	}
	manyGroups := []any{addUser}
	for i := range 11 {
		name := fmt.Sprint("g", i)
		manyGroups = append(manyGroups, &api.CreateGroupInput{GroupName: &name})
		if i < 10 {
			manyGroups = append(manyGroups, &api.AddUserToGroupInput{GroupName: &name, UserName: u})
		}
	}
	for name, tc := range map[string]struct {
		before        []any
		in            any
		code, message string
	}{
		"a user twice":              {[]any{addUser}, addUser, "EntityAlreadyExists", "User with name u already exists."},
		"a user in another case":    {[]any{addUser}, &api.CreateUserInput{UserName: aws.String("U")}, "EntityAlreadyExists", "User with name U already exists."},
		"a group twice":             {[]any{addGroup}, addGroup, "EntityAlreadyExists", "Group with name g already exists."},
		"rename to another's name":  {[]any{addUser, &api.CreateUserInput{UserName: p}}, &api.UpdateUserInput{UserName: u, NewUserName: aws.String("P")}, "EntityAlreadyExists", "User with name P already exists."},
		"rename a group to another": {[]any{addGroup, &api.CreateGroupInput{GroupName: p}}, &api.UpdateGroupInput{GroupName: g, NewGroupName: p}, "EntityAlreadyExists", "Group with name p already exists."},
		"delete with a policy":      {[]any{addUser, put(anyPolicy)}, &api.DeleteUserInput{UserName: u}, "DeleteConflict", "Cannot delete entity, must delete policies first."},
		"delete with a key":         {[]any{addUser, &api.CreateAccessKeyInput{UserName: u}}, &api.DeleteUserInput{UserName: u}, "DeleteConflict", "Cannot delete entity, must delete access keys first."},
		"delete with a group": {[]any{addUser, addGroup, &api.AddUserToGroupInput{GroupName: g, UserName: u}}, &api.DeleteUserInput{UserName: u},
			"DeleteConflict", "Cannot delete entity, must remove users from group first."},
		"delete with a Git credential": {[]any{addUser, &api.CreateServiceSpecificCredentialInput{UserName: u, ServiceName: aws.String("codecommit.amazonaws.com")}},
			&api.DeleteUserInput{UserName: u}, "DeleteConflict", "Cannot delete entity, must remove referenced objects first."},
		"delete with an SSH key": {[]any{addUser, &api.UploadSSHPublicKeyInput{UserName: u, SSHPublicKeyBody: aws.String(ed25519Key)}},
			&api.DeleteUserInput{UserName: u}, "DeleteConflict", "Cannot delete entity, must remove referenced objects first."},
		"delete a group with users": {[]any{addUser, addGroup, &api.AddUserToGroupInput{GroupName: g, UserName: u}}, &api.DeleteGroupInput{GroupName: g},
			"DeleteConflict", "Cannot delete entity, must remove users from group first."},
		"delete a group with a policy": {[]any{addGroup, &api.PutGroupPolicyInput{GroupName: g, PolicyName: p, PolicyDocument: aws.String(anyPolicy)}},
			&api.DeleteGroupInput{GroupName: g}, "DeleteConflict", "Cannot delete entity, must delete policies first."},
		"a third key": {[]any{addUser, &api.CreateAccessKeyInput{UserName: u}, &api.CreateAccessKeyInput{UserName: u}}, &api.CreateAccessKeyInput{UserName: u},
			"LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"},
		"an eleventh group":  {manyGroups, &api.AddUserToGroupInput{GroupName: aws.String("g10"), UserName: u}, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"},
		"a 51st tag":         {[]any{addUser, tagged(50, 0)}, tagged(1, 50), "LimitExceeded", "The number of tags has reached the maximum limit."},
		"tags alike":         {[]any{addUser}, &api.TagUserInput{UserName: u, Tags: []types.Tag{{Key: aws.String("a"), Value: p}, {Key: aws.String("A"), Value: p}}}, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"AWS's tags":         {[]any{addUser}, &api.TagUserInput{UserName: u, Tags: []types.Tag{{Key: aws.String("AWS:x"), Value: p}}}, "InvalidInput", "Caller is an end user and not allowed to mutate system tags."},
		"a long user policy": {[]any{addUser}, put(sized(2049)), "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user u"},
		"policies that are long together": {[]any{addUser, put(sized(2048 - 60))}, &api.PutUserPolicyInput{UserName: u, PolicyName: g, PolicyDocument: aws.String(anyPolicy)},
			"LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user u"},
		"a long group policy": {[]any{addGroup}, &api.PutGroupPolicyInput{GroupName: g, PolicyName: p, PolicyDocument: aws.String(sized(5121))},
			"LimitExceeded", "Maximum policy size of 5120 bytes exceeded for group g"},
		"not JSON": {[]any{addUser}, put(`{"Version":"2012-10-17",`), "MalformedPolicyDocument", ""},
		"expiring Git credential": {[]any{addUser}, &api.CreateServiceSpecificCredentialInput{UserName: u, ServiceName: aws.String("codecommit.amazonaws.com"), CredentialAgeDays: aws.Int32(3)},
			"InvalidInput", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			setUp(t, h, tc.before...)
			_, err := invoke(t, h, h.root(), tc.in)
			wantFault(t, operationOf(tc.in), err, tc.code, tc.message)
		})
	}
}

// sized is a policy document of as many characters that count, and more that do not.
func sized(n int) string {
	const head, tail = `{"Version":"2012-10-17","Statement":[{"Sid":"`, `","Effect":"Deny","Action":"*","Resource":"*"}]}`
	return " \t\r\n" + head + strings.Repeat("a", n-len(head)-len(tail)) + tail + " "
}

func TestMalformedPolicySaysWhere(t *testing.T) {
	h := newHost(t)
	setUp(t, h, &api.CreateGroupInput{GroupName: aws.String("g")})
	document := "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resorce\": \"*\"}]\n}"
	_, err := invoke(t, h, h.root(), &api.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("p"), PolicyDocument: &document})
	wantFault(t, "put", err, "MalformedPolicyDocument", "")
	if text := fmt.Sprint(err); !strings.Contains(text, "Syntax errors in policy. (line 3, column ") || !strings.Contains(text, "Resorce") {
		t.Errorf("the refusal does not say what is wrong where: %s", text)
	}
}

func TestPoliciesComeBackByteForByte(t *testing.T) {
	h := newHost(t)
	document := "\r\n\t" + strings.Replace(sized(1000), "aaaa", `aaaa`, 1) + "\n "
	document = strings.Replace(document, `"Resource":"*"`, `"Resource":"arn:aws:codecommit:*:*:ÿ/~+%25 &=?é"`, 1)
	u, p := aws.String("u"), aws.String("p")
	setUp(t, h, &api.CreateUserInput{UserName: u}, &api.PutUserPolicyInput{UserName: u, PolicyName: p, PolicyDocument: aws.String(anyPolicy)},
		&api.PutUserPolicyInput{UserName: u, PolicyName: p, PolicyDocument: &document})
	got := run[api.GetUserPolicyOutput](t, h, h.root(), &api.GetUserPolicyInput{UserName: u, PolicyName: p})
	plain, err := url.PathUnescape(*got.PolicyDocument)
	if err != nil || plain != document {
		t.Errorf("got %q (%v)\nwant %q", plain, err, document)
	}
	if strings.ContainsAny(*got.PolicyDocument, " +{}\"*/:\n&=") {
		t.Errorf("not encoded as in RFC 3986: %s", *got.PolicyDocument)
	}
	names := run[api.ListUserPoliciesOutput](t, h, h.root(), &api.ListUserPoliciesInput{UserName: u})
	if d := cmp.Diff([]string{"p"}, names.PolicyNames); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
}

func TestValidation(t *testing.T) {
	h := newHost(t)
	long := strings.Repeat("a", 129)
	const one = "1 validation error detected: Value at "
	for name, tc := range map[string]struct {
		in   any
		want string
	}{
		"no name":                        {&api.CreateUserInput{}, one + "'userName' failed to satisfy constraint: Member must not be null"},
		"a long new name":                {&api.CreateUserInput{UserName: aws.String(long[:65])}, one + "'userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		"an old long name is looked for": {&api.DeleteUserInput{UserName: aws.String(long[:128])}, ""},
		"a longer one":                   {&api.DeleteUserInput{UserName: &long}, one + "'userName' failed to satisfy constraint: Member must have length less than or equal to 128"},
		"odd characters":                 {&api.CreateUserInput{UserName: aws.String("a b")}, one + `'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		"a line end":                     {&api.CreateUserInput{UserName: aws.String("ab\n")}, one + `'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		"letters beyond ASCII":           {&api.CreateUserInput{UserName: aws.String("ä")}, one + `'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		"two problems": {&api.CreateGroupInput{Path: aws.String("x")}, "2 validation errors detected: Value at 'groupName' failed to satisfy constraint: Member must not be null; " +
			`Value at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F)`},
		"an empty name": {&api.GetUserInput{UserName: aws.String("")}, "2 validation errors detected: Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
			`Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		"no items":     {&api.ListUsersInput{MaxItems: aws.Int32(0)}, one + "'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"many items":   {&api.ListUsersInput{MaxItems: aws.Int32(1001)}, one + "'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		"a bad prefix": {&api.ListUsersInput{PathPrefix: aws.String("a")}, one + `'pathPrefix' failed to satisfy constraint: Member must satisfy regular expression pattern: \u002F[\u0021-\u007F]*`},
		"a bad marker": {&api.ListUsersInput{Marker: aws.String("AAAA")}, "The marker is not one that this listing returned."},
		"a status": {&api.UpdateAccessKeyInput{UserName: aws.String("u"), AccessKeyId: aws.String(aKeyID), Status: "Expired"},
			one + "'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"},
		"no status": {&api.UpdateAccessKeyInput{UserName: aws.String("u"), AccessKeyId: aws.String(aKeyID)}, one + "'status' failed to satisfy constraint: Member must not be null"},
		"a short key ID": {&api.DeleteAccessKeyInput{UserName: aws.String("u"), AccessKeyId: aws.String("AKIA")},
			one + "'accessKeyId' failed to satisfy constraint: Member must have length greater than or equal to 16"},
		"a tag without a value": {&api.TagUserInput{UserName: aws.String("u"), Tags: []types.Tag{{Key: aws.String("k")}}},
			one + "'tags.1.member.value' failed to satisfy constraint: Member must not be null"},
		"many tags":  {&api.TagUserInput{UserName: aws.String("u"), Tags: make([]types.Tag, 51)}, one + "'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
		"no tags":    {&api.TagUserInput{UserName: aws.String("u")}, one + "'tags' failed to satisfy constraint: Member must not be null"},
		"no service": {&api.CreateServiceSpecificCredentialInput{UserName: aws.String("u")}, one + "'serviceName' failed to satisfy constraint: Member must not be null"},
		"an encoding": {&api.GetSSHPublicKeyInput{UserName: aws.String("u"), SSHPublicKeyId: aws.String(aPublicKey), Encoding: "DER"},
			one + "'encoding' failed to satisfy constraint: Member must satisfy enum value set: [SSH, PEM]"},
		"root has no user name":       {&api.GetUserInput{}, "Must specify userName when calling with non-User credentials"},
		"root has no Git credentials": {&api.CreateServiceSpecificCredentialInput{ServiceName: aws.String("codecommit.amazonaws.com")}, "Must specify userName when calling with non-User credentials"},
		"all users and one of them":   {&api.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true), UserName: aws.String("u")}, one + "'userName' failed to satisfy constraint: Member must be null when allUsers is set"},
		"characters that policies have not": {&api.PutUserPolicyInput{UserName: aws.String("u"), PolicyName: aws.String("p"), PolicyDocument: aws.String("{\"€\":1}")},
			one + `'policyDocument' failed to satisfy constraint: Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := invoke(t, h, h.root(), tc.in)
			if tc.want == "" {
				wantFault(t, name, err, "NoSuchEntity", "")
				return
			}
			wantFault(t, name, err, "ValidationError", tc.want)
		})
	}
}

func TestUsers(t *testing.T) {
	h := newHost(t)
	tags := []types.Tag{{Key: aws.String("Team"), Value: aws.String("blue")}}
	made := run[api.CreateUserOutput](t, h, h.root(), &api.CreateUserInput{UserName: aws.String("Ann"), Path: aws.String("/dev/"), Tags: tags}).User
	want := &types.User{Arn: aws.String("arn:aws:iam::" + account + ":user/dev/Ann"), CreateDate: &testNow, Path: aws.String("/dev/"),
		UserId: made.UserId, UserName: aws.String("Ann"), Tags: tags}
	plain := cmpopts.IgnoreUnexported(types.User{}, types.Tag{}, types.Group{})
	if d := cmp.Diff(want, made, plain); d != "" {
		t.Errorf("created (-want +got):\n%s", d)
	}
	run[api.UpdateUserOutput](t, h, h.root(), &api.UpdateUserInput{UserName: aws.String("Ann"), NewUserName: aws.String("ann"), NewPath: aws.String("/ops/")})
	run[api.TagUserOutput](t, h, h.root(), &api.TagUserInput{UserName: aws.String("ann"), Tags: []types.Tag{{Key: aws.String("TEAM"), Value: aws.String("")}, {Key: aws.String("b"), Value: aws.String("c")}}})
	run[api.UntagUserOutput](t, h, h.root(), &api.UntagUserInput{UserName: aws.String("ann"), TagKeys: []string{"B", "unknown"}})
	want.Arn, want.Path, want.UserName = aws.String("arn:aws:iam::"+account+":user/ops/ann"), aws.String("/ops/"), aws.String("ann")
	want.Tags = []types.Tag{{Key: aws.String("TEAM"), Value: aws.String("")}}
	got := run[api.GetUserOutput](t, h, h.root(), &api.GetUserInput{UserName: aws.String("ann")}).User
	if d := cmp.Diff(want, got, plain); d != "" {
		t.Errorf("after a rename (-want +got):\n%s", d)
	}
	listed := run[api.ListUsersOutput](t, h, h.root(), &api.ListUsersInput{PathPrefix: aws.String("/op")})
	want.Tags = nil
	if d := cmp.Diff([]types.User{*want}, listed.Users, plain); d != "" || listed.IsTruncated || listed.Marker != nil {
		t.Errorf("listed (-want +got):\n%s", d)
	}
	run[api.DeleteUserOutput](t, h, h.root(), &api.DeleteUserInput{UserName: aws.String("ann")})
	again := run[api.CreateUserOutput](t, h, h.root(), &api.CreateUserInput{UserName: aws.String("ann")}).User
	if *again.UserId == *made.UserId {
		t.Error("a new user has the old one's ID")
	}
	if got := run[api.GetUserOutput](t, h, h.root(), &api.GetUserInput{UserName: aws.String("ann")}).User; got.Tags != nil {
		t.Errorf("a new user has the old one's tags: %v", got.Tags)
	}
}

func TestGroups(t *testing.T) {
	h := newHost(t)
	g := aws.String("g")
	made := run[api.CreateGroupOutput](t, h, h.root(), &api.CreateGroupInput{GroupName: g, Path: aws.String("/a/")}).Group
	if *made.Arn != "arn:aws:iam::"+account+":group/a/g" || !strings.HasPrefix(*made.GroupId, "AGPA") {
		t.Errorf("created %s, %s", *made.Arn, *made.GroupId)
	}
	for _, name := range []string{"c", "a", "b"} {
		setUp(t, h, &api.CreateUserInput{UserName: &name}, &api.AddUserToGroupInput{GroupName: g, UserName: &name},
			&api.AddUserToGroupInput{GroupName: g, UserName: &name}) // twice is no error
	}
	var names []string
	var marker *string
	for range 3 {
		page := run[api.GetGroupOutput](t, h, h.root(), &api.GetGroupInput{GroupName: g, MaxItems: aws.Int32(2), Marker: marker})
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
		if marker = page.Marker; marker == nil {
			break
		}
		if !page.IsTruncated {
			t.Error("a marker and not truncated")
		}
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, names); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
	run[api.UpdateGroupOutput](t, h, h.root(), &api.UpdateGroupInput{GroupName: g, NewGroupName: aws.String("h"), NewPath: aws.String("/")})
	of := run[api.ListGroupsForUserOutput](t, h, h.root(), &api.ListGroupsForUserInput{UserName: aws.String("a")}).Groups
	if len(of) != 1 || *of[0].Arn != "arn:aws:iam::"+account+":group/h" || *of[0].GroupId != *made.GroupId {
		t.Errorf("the groups of a are %+v", of)
	}
	run[api.RemoveUserFromGroupOutput](t, h, h.root(), &api.RemoveUserFromGroupInput{GroupName: aws.String("h"), UserName: aws.String("a")})
	if of := run[api.ListGroupsForUserOutput](t, h, h.root(), &api.ListGroupsForUserInput{UserName: aws.String("a")}).Groups; len(of) != 0 {
		t.Errorf("the groups of a are %+v", of)
	}
	if all := run[api.ListGroupsOutput](t, h, h.root(), &api.ListGroupsInput{}).Groups; len(all) != 1 {
		t.Errorf("groups: %+v", all)
	}
}

// A marker serves the listing that returned it, and no other.
func TestMarkers(t *testing.T) {
	h := newHost(t)
	for _, name := range []string{"a", "b", "c"} {
		setUp(t, h, &api.CreateUserInput{UserName: &name}, &api.CreateGroupInput{GroupName: &name})
	}
	first := run[api.ListUsersOutput](t, h, h.root(), &api.ListUsersInput{MaxItems: aws.Int32(1)})
	if len(first.Users) != 1 || first.Marker == nil {
		t.Fatalf("first page %+v", first)
	}
	for name, in := range map[string]any{
		"another listing": &api.ListGroupsInput{Marker: first.Marker},
		"another prefix":  &api.ListUsersInput{Marker: first.Marker, PathPrefix: aws.String("/x/")},
		"changed":         &api.ListUsersInput{Marker: aws.String("A" + *first.Marker)},
		"long":            &api.ListUsersInput{Marker: aws.String(strings.Repeat("A", 1<<20))},
		"empty":           &api.ListUsersInput{Marker: aws.String("")},
	} {
		_, err := invoke(t, h, h.root(), in)
		wantFault(t, name, err, "ValidationError", "The marker is not one that this listing returned.")
	}
	second := run[api.ListUsersOutput](t, h, h.root(), &api.ListUsersInput{Marker: first.Marker})
	if len(second.Users) != 2 || *second.Users[0].UserName != "b" || second.IsTruncated {
		t.Errorf("second page %+v", second)
	}
}
