package policycmd

import (
	"testing"

	"github.com/refward/refward/policy"
)

func TestCallerOf(t *testing.T) {
	for name, want := range map[string]policy.Caller{
		"arn:aws:iam::111122223333:user/dev/ann": {ARN: "arn:aws:iam::111122223333:user/dev/ann", Account: "111122223333"},
		"arn:aws-cn:sts::111122223333:assumed-role/ci/run": {
			ARN: "arn:aws-cn:sts::111122223333:assumed-role/ci/run", Role: "arn:aws-cn:iam::111122223333:role/ci", Account: "111122223333"},
		"arn:aws:iam::111122223333:role/x/ci":        {Role: "arn:aws:iam::111122223333:role/x/ci", Account: "111122223333"},
		"arn:aws:iam::111122223333:root":             {ARN: "arn:aws:iam::111122223333:root", Account: "111122223333"},
		"111122223333":                               {ARN: "arn:aws:iam::111122223333:root", Account: "111122223333"},
		"AIDAEXAMPLEANN":                             {UserID: "AIDAEXAMPLEANN", Account: "444455556666"},
		"AROAEXAMPLECI:run:1":                        {UserID: "AROAEXAMPLECI:run:1", Account: "444455556666"},
		"codebuild.amazonaws.com":                    {Service: "codebuild.amazonaws.com"},
		"cognito-identity.amazonaws.com":             {Federated: "cognito-identity.amazonaws.com"},
		"accounts.google.com":                        {Federated: "accounts.google.com"},
		"arn:aws:iam::111122223333:saml-provider/ad": {Federated: "arn:aws:iam::111122223333:saml-provider/ad"},
	} {
		if got, err := callerOf(name, "444455556666"); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "ann", "*", "arn:aws:iam::11112222333:user/ann", "arn:aws:iam:::user/ann", "arn:aws:iam", "AIDAexample", "example.com"} {
		if got, err := callerOf(name, "444455556666"); err == nil {
			t.Errorf("%q: %+v", name, got)
		}
	}
}
