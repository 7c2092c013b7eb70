package awsapi

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/fault"
)

// decodeForm decodes a form's text.
func decodeForm(text string, in any) error {
	f, err := parseForm(text)
	if err != nil {
		return err
	}
	var c queryCodec
	return c.decode(f, in)
}

func TestDecodeQuery(t *testing.T) {
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	tests := []struct {
		name, text string
		in, want   any
	}{
		{"nothing", "Action=ListUsers&Version=2010-05-08", &iam.ListUsersInput{}, &iam.ListUsersInput{}},
		{"escapes", "PathPrefix=%2Fa+b%2B%C3%A9%2F", &iam.ListUsersInput{}, &iam.ListUsersInput{PathPrefix: aws.String("/a b+é/")}},
		{"empty text is present", "PathPrefix=", &iam.ListUsersInput{}, &iam.ListUsersInput{PathPrefix: aws.String("")}},
		{"number", "MaxItems=-7", &iam.ListUsersInput{}, &iam.ListUsersInput{MaxItems: aws.Int32(-7)}},
		{"case counts", "maxitems=7&pathPrefix=x", &iam.ListUsersInput{}, &iam.ListUsersInput{}},
		{"ampersands", "&&MaxItems=7&", &iam.ListUsersInput{}, &iam.ListUsersInput{MaxItems: aws.Int32(7)}},
		{
			"list of structures in any order", "Tags.member.2.Value=4&Tags.member.1.Value=2&UserName=u&Tags.member.2.Key=3&Tags.member.1.Key=1",
			&iam.TagUserInput{},
			&iam.TagUserInput{UserName: aws.String("u"), Tags: []types.Tag{tag("1", "2"), tag("3", "4")}},
		},
		{"eleven elements", elements(11), &iam.UntagUserInput{}, &iam.UntagUserInput{TagKeys: numbers(11)}},
		{"empty list", "TagKeys=", &iam.UntagUserInput{}, &iam.UntagUserInput{TagKeys: []string{}}},
		{"flattened list is unknown", "TagKeys.1=a", &iam.UntagUserInput{}, &iam.UntagUserInput{TagKeys: []string{}}},
		{"boolean", "SetAsDefault=true", &iam.CreatePolicyVersionInput{}, &iam.CreatePolicyVersionInput{SetAsDefault: true}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if err := decodeForm(tc.text, tc.in); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, tc.in, sameShape); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func numbers(n int) []string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprint(i+1))
	}
	return s
}

// elements returns n elements of TagKeys, each with its own number.
func elements(n int) string {
	var s []string
	for _, i := range numbers(n) {
		s = append(s, "TagKeys.member."+i+"="+i)
	}
	return strings.Join(s, "&")
}

func TestDecodeQueryRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		in         any
	}{
		{"absurd number", "TagKeys.member.99999999=a", &iam.UntagUserInput{}},
		{"number beyond all types", "TagKeys.member.99999999999999999999999=a", &iam.UntagUserInput{}},
		{"gap", "TagKeys.member.1=a&TagKeys.member.3=b", &iam.UntagUserInput{}},
		{"zero", "TagKeys.member.0=a&TagKeys.member.1=b", &iam.UntagUserInput{}},
		{"negative", "TagKeys.member.-1=a", &iam.UntagUserInput{}},
		{"leading zero", "TagKeys.member.01=a", &iam.UntagUserInput{}},
		{"no number", "TagKeys.member.x=a", &iam.UntagUserInput{}},
		{"empty number", "TagKeys.member.=a", &iam.UntagUserInput{}},
		{"twice", "UserName=a&UserName=a", &iam.UntagUserInput{}},
		{"twice, once escaped", "UserName=a&User%4eame=a", &iam.UntagUserInput{}},
		{"unknown twice", "X=a&X=a", &iam.UntagUserInput{}},
		{"list with a value", "TagKeys=a", &iam.UntagUserInput{}},
		{"value with members", "UserName.member.1=a", &iam.UntagUserInput{}},
		{"element with members", "TagKeys.member.1.Key=a", &iam.UntagUserInput{}},
		{"structure with a value", "Tags.member.1=a", &iam.TagUserInput{}},
		{"bad escape", "UserName=%zz", &iam.UntagUserInput{}},
		{"truncated escape", "UserName=%4", &iam.UntagUserInput{}},
		{"invalid UTF-8", "UserName=%ff", &iam.UntagUserInput{}},
		{"invalid UTF-8 in a name", "%ff=a", &iam.UntagUserInput{}},
		{"long name", strings.Repeat("a", maxParamName+1) + "=a", &iam.UntagUserInput{}},
		{"too many", elements(maxParams + 1), &iam.UntagUserInput{}},
		{"number: empty", "MaxItems=", &iam.ListUsersInput{}},
		{"number: plus", "MaxItems=%2B1", &iam.ListUsersInput{}},
		{"number: fraction", "MaxItems=1.0", &iam.ListUsersInput{}},
		{"number: too large", "MaxItems=2147483648", &iam.ListUsersInput{}},
		{"number: NaN", "MaxItems=NaN", &iam.ListUsersInput{}},
		{"number: underscore", "MaxItems=1_0", &iam.ListUsersInput{}},
		{"boolean: 1", "SetAsDefault=1", &iam.CreatePolicyVersionInput{}},
		{"boolean: True", "SetAsDefault=True", &iam.CreatePolicyVersionInput{}},
		{"map without a key", "Properties.entry.1.value=a", &iam.PutAccountPropertiesInput{}},
		{"map with a key twice", "Properties.entry.1.key=a&Properties.entry.2.key=a", &iam.PutAccountPropertiesInput{}},
		{"union without a member", "PolicyExclusionList.member.1.X=a", &iam.SimulatePrincipalPolicyInput{}},
		{
			"union with two members", "PolicyExclusionList.member.1.PolicyArn=a&PolicyExclusionList.member.1.PolicyType=a",
			&iam.SimulatePrincipalPolicyInput{},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if err := decodeForm(tc.text, tc.in); !fault.Has(err, fault.MalformedInput) {
				t.Errorf("got %v, want the fault MalformedInput", err)
			}
		})
	}
}

func TestEncodeQuery(t *testing.T) {
	const head, tail = `Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`, `<ResponseMetadata><RequestId>` + requestID + `</RequestId></ResponseMetadata>`
	tests := []struct {
		operation string
		out       any
		want      string
	}{
		{"DeleteUser", &iam.DeleteUserOutput{}, ``},
		{"UpdateRole", &iam.UpdateRoleOutput{}, `<UpdateRoleResult></UpdateRoleResult>`},
		{"ListUsers", &iam.ListUsersOutput{}, `<ListUsersResult><IsTruncated>false</IsTruncated></ListUsersResult>`},
		{"ListUsers", &iam.ListUsersOutput{Users: []types.User{}}, `<ListUsersResult><Users></Users><IsTruncated>false</IsTruncated></ListUsersResult>`},
		{
			"GetUser", &iam.GetUserOutput{User: &types.User{UserName: aws.String("<&>\x00\xff\r\n"), CreateDate: aws.Time(millis(1_484_167_798_999))}},
			`<GetUserResult><User><CreateDate>2017-01-11T20:49:58Z</CreateDate><UserName>&lt;&amp;&gt;` + "\uFFFD\uFFFD" + `&#xD;` + "\n" + `</UserName></User></GetUserResult>`,
		},
	}
	for _, tc := range tests {
		t.Run(tc.operation, func(t *testing.T) {
			var c queryCodec
			got, err := c.encode(serviceNamed("iam"), tc.operation, requestID, tc.out)
			want := "<" + tc.operation + head + tc.want + tail + "</" + tc.operation + "Response>"
			if err != nil || string(got) != want {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
		})
	}
}

func FuzzXMLText(f *testing.F) {
	f.Add("a<b>&\"'\x00\xff\ufffe\r\n\t]]>")
	f.Fuzz(func(t *testing.T, text string) {
		doc := append(appendXMLText([]byte("<a>"), text), "</a>"...)
		var got string
		if err := xml.Unmarshal(doc, &got); err != nil {
			t.Fatalf("%v in %q", err, doc)
		}
		if !strings.ContainsRune(got, '\uFFFD') && got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
	})
}

func FuzzDecodeQuery(f *testing.F) {
	for _, seed := range []string{
		"Action=TagUser&Version=2010-05-08&UserName=a&Tags.member.1.Key=k&Tags.member.1.Value=v", elements(3),
		"PolicyExclusionList.member.1.PolicyArn=a&PolicyExclusionList.member.2.InlinePolicyIdentifier.PolicyName=b",
		"Tags.member.99999999.Key=a", "a=%zz", "Tags=&Tags.member.1=a", "a=b&a=c", "%ff=%fe", "MaxItems=%2B1",
	} {
		f.Add(seed)
	}
	targets := []func() any{
		func() any { return &iam.TagUserInput{} }, func() any { return &iam.UntagUserInput{} },
		func() any { return &iam.SimulatePrincipalPolicyInput{} }, func() any { return &iam.PutAccountPropertiesInput{} },
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, target := range targets {
			if err := decodeForm(text, target()); err != nil && !fault.Has(err, fault.MalformedInput) {
				t.Fatalf("got %v, want the fault MalformedInput", err)
			}
		}
	})
}
