package validate_test

import (
	"strings"
	"testing"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
)

// short writes documents of the tables in full. A text that is no whole document is
// one or more statements.
var short = strings.NewReplacer(
	"<allow>", `"Effect":"Allow"`, "<deny>", `"Effect":"Deny"`,
	"<repo>", `"Resource":"arn:aws:codecommit:us-east-1:111122223333:payments"`, "<all>", `"Resource":"*"`,
	"<push>", `"Action":"codecommit:GitPush"`, "<pull>", `"Action":"codecommit:GitPull"`,
	"<refs>", `"codecommit:References"`, "<main>", `"refs/heads/main"`,
	"<movers>", `"codecommit:GitPush","codecommit:Merge*","codecommit:PutFile","codecommit:CreateCommit","codecommit:DeleteFile","codecommit:CreateBranch","codecommit:DeleteBranch"`,
	"<assume>", `"Action":"sts:AssumeRole"`,
)

func full(text string) string {
	text = short.Replace(text)
	if strings.HasPrefix(text, "raw:") {
		return text[4:]
	}
	return `{"Version":"2012-10-17","Statement":[` + text + `]}`
}

type codeCase struct {
	code     validate.Code
	severity validate.Severity
	kind     policy.Kind
	hit      string // has the finding
	miss     string // nearly has it
	opt      *validate.Options
}

const (
	e  = validate.Error
	sw = validate.SecurityWarning
	w  = validate.Warning
	sg = validate.Suggestion
)

var (
	forAWS = &validate.Options{Target: validate.AWS}
	repos  = &validate.Options{Repositories: []string{"payments", "web"}}
)

// IAM User Guide, "Access Analyzer policy check reference", where the code is one of
// its issue codes; else the page of the element that the case is about.
var codeCases = []codeCase{
	{validate.JSONSyntaxError, e, 0, `raw:{"Statement":[{<allow>,<pull>,<all>,}]}`, `raw:{"Statement":[{<allow>,<pull>,<all>}]}`, nil},
	{validate.JSONSyntaxError, e, 0, `raw:{"Statement":[{<allow> <pull>,<all>}]}`, `raw:{"Statement":[{<allow>,<pull>,<all>}]}`, nil},
	{validate.DuplicateName, e, 0, `{<allow>,<allow>,<pull>,<all>}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.InvalidPolicyElement, e, 0, `{<allow>,<pull>,"Ressource":"*"}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.InvalidPolicyElement, e, 0, `raw:{"version":"2012-10-17","Statement":[{<allow>,<pull>,<all>}]}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.InvalidElementType, e, 0, `{<allow>,"Action":1,<all>}`, `{<allow>,"Action":"iam:ListUsers",<all>}`, nil},
	{validate.InvalidVersion, e, 0, `raw:{"Version":"2012-10-18","Statement":[{<allow>,<pull>,<all>}]}`, `raw:{"Version":"2008-10-17","Statement":[{<allow>,<pull>,<all>}]}`, nil},
	{validate.InvalidVersion, e, policy.Managed, `raw:{"Version":"2008-10-17","Statement":[{<allow>,<pull>,<all>}]}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.MissingStatement, e, 0, `raw:{"Version":"2012-10-17","Statement":[]}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.MissingEffect, e, 0, `{<pull>,<all>}`, `{<deny>,<pull>,<all>}`, nil},
	{validate.MissingAction, e, 0, `{<allow>,<all>}`, `{<deny>,"NotAction":"codecommit:GitPull",<all>}`, nil},
	{validate.MissingResource, e, 0, `{<allow>,<pull>}`, `{<deny>,<pull>,"NotResource":"arn:aws:codecommit:*:*:x"}`, nil},
	{validate.MissingPrincipal, e, policy.Trust, `{<allow>,<assume>}`, `{<allow>,<assume>,"Principal":{"AWS":"111122223333"}}`, nil},
	{validate.InvalidEffect, e, 0, `{"Effect":"allow",<pull>,<all>}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.UnsupportedElement, e, 0, `{<allow>,<pull>,<all>,"Principal":"*"}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.UnsupportedElementCombination, e, 0, `{<allow>,<pull>,"NotAction":"iam:ListUsers",<all>}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.UnsupportedElementCombination, e, 0, `{<deny>,<pull>,<all>,"NotResource":"*"}`, `{<deny>,<pull>,"NotResource":"*"}`, nil},
	{validate.InvalidPrincipal, e, policy.Trust, `{<allow>,<assume>,"Principal":{"AWS":"arn:aws:iam::111122223333:user/*"}}`, `{<allow>,<assume>,"Principal":{"AWS":"arn:aws:iam::111122223333:user/a"}}`, nil},
	{validate.InvalidSid, e, 0, `{"Sid":"a b",<allow>,<pull>,<all>}`, `{"Sid":"ab",<allow>,<pull>,<all>}`, nil},
	{validate.DuplicateSid, e, 0, `{"Sid":"a",<allow>,<pull>,<all>},{"Sid":"a",<allow>,<push>,<all>}`, `{"Sid":"a",<allow>,<pull>,<all>},{"Sid":"A",<allow>,<push>,<all>}`, nil},
	{validate.InvalidAction, e, 0, `{<allow>,"Action":"GitPull",<all>}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.InvalidARN, e, 0, `{<allow>,<pull>,"Resource":"payments"}`, `{<allow>,<pull>,<repo>}`, nil},
	{validate.InvalidConditionOperator, e, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEqualIfExists":{"aws:username":"a"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEqualsIfExists":{"aws:username":"a"}}}`, nil},
	{validate.InvalidDateValue, e, 0, `{<allow>,<pull>,<all>,"Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}}`, `{<allow>,<pull>,<all>,"Condition":{"DateLessThan":{"aws:CurrentTime":"2027"}}}`, nil},

	{validate.UnknownAction, w, 0, `{<allow>,"Action":"codecommit:GitPul",<all>}`, `{<allow>,"Action":"CodeCommit:gitpull",<all>}`, nil},
	{validate.UnknownAction, sw, 0, `{<deny>,"Action":"codecommit:Shove*",<all>}`, `{<deny>,"Action":"codecommit:*Push",<all>}`, nil},
	{validate.UnknownAction, sw, 0, `{<allow>,"NotAction":"iam:CreateUsers",<all>}`, `{<allow>,"NotAction":"iam:CreateUser",<all>}`, nil},
	{validate.UnknownService, w, 0, `{<allow>,"Action":"codecomit:GitPull",<all>}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.UnknownService, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecomit:us-east-1:111122223333:x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:x"}`, nil},
	{validate.UnknownService, w, 0, `{<allow>,"Action":"codecommmit:*",<all>}`, `{<allow>,"Action":"sns:*",<all>}`, nil},
	{validate.ServiceNotOffered, sg, 0, `{<allow>,"Action":"events:PutRule",<all>}`, `{<allow>,"Action":"iam:ListUsers",<all>}`, nil},
	{validate.UnknownConditionKey, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:usernames":"a"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"AWS:UserName":"a"}}}`, nil},
	{validate.UnknownConditionKey, sw, 0, `{<deny>,<push>,<all>,"Condition":{"StringEquals":{"codecommit:Reference":<main>}}}`, `{<deny>,<push>,<all>,"Condition":{"StringEquals":{"codecommit:References":<main>}}}`, nil},
	{validate.UnknownConditionKey, w, 0, `{<deny>,<pull>,<all>,"Condition":{"StringNotEquals":{"aws:PrincipalTags/team":"a"}}}`, `{<deny>,<pull>,<all>,"Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"a"}}}`, nil},
	{validate.UnknownConditionKey, sw, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEqualsIfExists":{"k":"a"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEqualsIfExists":{"aws:userid":"a"}}}`, nil},
	{validate.UnknownVariable, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:${aws:usrname}"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:${aws:username}"}`, nil},
	{validate.EmptyUnknownOperator, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEqual":{}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{}}}`, nil},
	{validate.OperatorSpelling, w, 0, `{<allow>,<pull>,<all>,"Condition":{"stringEquals":{"aws:username":"a"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"a"}}}`, nil},
	{validate.WildcardInServiceName, w, 0, `{<allow>,"Action":"code*:GitPull",<all>}`, `{<allow>,"Action":"*:*",<all>}`, nil},
	{validate.WildcardInServiceName, w, 0, `{<allow>,"Action":"*:GitPull",<all>}`, `{<allow>,"Action":"codecommit:*Pull",<all>}`, nil},
	{validate.WildcardInServiceName, w, 0, `{<deny>,"NotAction":"*:*Pull",<all>}`, `{<deny>,"NotAction":"*",<all>}`, nil},
	{validate.RedundantAction, sg, 0, `{<allow>,"Action":["*","*:GitPull"],<all>}`, `{<allow>,"Action":["*:Git*","codecommit:GitPull"],<all>}`, nil},
	{validate.UnreachableAction, w, 0, `{<deny>,"Action":"codecommit:*",<all>},{<allow>,"Action":["codecommit:GitPull","iam:*"],<all>}`, `{<deny>,"Action":"*:Git*",<all>},{<allow>,"Action":["codecommit:GitPull","iam:*"],<all>}`, nil},
	{validate.ExtensionKey, w, 0, `{<allow>,<push>,<all>,"Condition":{"StringEquals":{"refward:RefChange":"create"}}}`, `{<allow>,<push>,<all>,"Condition":{"StringEqualsIfExists":{"codecommit:References":<main>}}}`, forAWS},

	{validate.ActionResourceMismatch, w, 0, `{<allow>,"Action":"iam:GetUser",<repo>}`, `{<allow>,"Action":"iam:GetUser","Resource":"arn:aws:iam::111122223333:user/a"}`, nil},
	{validate.ActionResourceMismatch, sw, 0, `{<deny>,"Action":"iam:GetUser","Resource":"arn:aws:iam::111122223333:role/a"}`, `{<deny>,"Action":"iam:Get*","Resource":"arn:aws:iam::111122223333:role/a"}`, nil},
	{validate.ResourceStarRequired, w, 0, `{<allow>,"Action":"codecommit:ListRepositories",<repo>}`, `{<allow>,"Action":["codecommit:List*"],<repo>}`, nil},
	{validate.ResourceNeverUsed, w, 0, `{<allow>,<pull>,"Resource":["arn:aws:codecommit:us-east-1:111122223333:x","arn:aws:iam::111122223333:user/a"]}`, `{<allow>,"Action":["codecommit:GitPull","iam:GetUser"],"Resource":["arn:aws:codecommit:us-east-1:111122223333:x","arn:aws:iam::111122223333:user/a"]}`, nil},
	{validate.KeyNeverCarried, sw, 0, `{<deny>,"Action":["codecommit:DeleteRepository",<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, nil},
	{validate.KeyNeverCarried, w, 0, `{<deny>,"Action":"codecommit:DeleteRepository",<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`, `{<deny>,"Action":"codecommit:DeleteBranch",<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`, nil},
	{validate.KeyNeverCarried, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}`, `{<allow>,"Action":"codecommit:CreateRepository",<all>,"Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}`, nil},
	{validate.DeniesWithoutKey, w, 0, `{<deny>,"Action":"codecommit:Git*",<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`, `{<deny>,"Action":"codecommit:Git*",<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>},"Null":{<refs>:"false"}}}`, nil},
	{validate.ARNPartitionMismatch, w, 0, `{<allow>,<pull>,"Resource":"arn:aws-cn:codecommit:us-east-1:111122223333:x"}`, `{<allow>,<pull>,"Resource":"arn:*:codecommit:us-east-1:111122223333:x"}`, &here},
	{validate.ARNRegionMismatch, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:eu-west-1:111122223333:x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-*:111122223333:x"}`, &here},
	{validate.ARNAccountMismatch, sw, 0, `{<deny>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223334:x"}`, `{<deny>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:*:x"}`, &here},
	{validate.InvalidARNAccount, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:11112222333:x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:1111*:x"}`, &here},
	{validate.MissingARNRegion, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit::111122223333:x"}`, `{<allow>,"Action":"iam:GetUser","Resource":"arn:aws:iam::111122223333:user/x"}`, nil},
	{validate.MissingARNAccount, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1::x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:*:x"}`, nil},
	{validate.MissingARNField, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:*:x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:*"}`, nil},
	{validate.RepositoryARNForm, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:repository/x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:${aws:PrincipalTag/x}"}`, nil},
	{validate.ResourceMatchesNothing, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:payment"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:pay*"}`, repos},
	{validate.OperatorTypeMismatch, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:SourceIp":"203.0.113.1"}}}`, `{<allow>,<pull>,<all>,"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.1"}}}`, nil},
	{validate.OperatorTypeMismatch, sg, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:SecureTransport":"true"}}}`, `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, nil},
	{validate.SetOperatorOnSingleKey, sg, 0, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"ForAnyValue:StringEquals":{<refs>:<main>}}}`, `{<deny>,"Action":"codecommit:TagResource",<repo>,"Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}}`, nil},
	{validate.MissingSetOperator, w, 0, `{<allow>,"Action":"codecommit:TagResource",<repo>,"Condition":{"StringEquals":{"aws:TagKeys":"a"}}}`, `{<allow>,"Action":"codecommit:TagResource",<repo>,"Condition":{"Null":{"aws:TagKeys":"false"}}}`, nil},
	{validate.ForAllValuesWithoutNull, sw, 0, `{<allow>,"Action":"codecommit:TagResource",<repo>,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}}`, `{<allow>,"Action":"codecommit:TagResource",<repo>,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"},"Null":{"aws:TagKeys":"false"}}}`, nil},

	{validate.WildcardWithoutLike, sw, 0, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:"refs/heads/release/*"}}}`, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringLike":{<refs>:"refs/heads/release/*"}}}`, nil},
	{validate.WildcardWithoutLike, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringNotEquals":{"aws:username":"a?"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringNotEquals":{"aws:username":"a${?}"}}}`, nil},
	{validate.EmptyConditionValues, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":[]}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":["a"]}}}`, nil},
	{validate.EmptyConditionValue, sg, 0, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":""}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":" "}}}`, nil},
	{validate.EmptyCondition, sg, 0, `{<allow>,<pull>,<all>,"Condition":{}}`, `{<allow>,<pull>,<all>}`, nil},
	{validate.EmptyCondition, sg, 0, `{<allow>,<pull>,<all>,"Condition":{"Bool":{},"StringEquals":{"aws:username":"a"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"a"}}}`, nil},
	{validate.EmptySid, sg, 0, `{"Sid":"",<allow>,<pull>,<all>}`, `{"Sid":"a",<allow>,<pull>,<all>}`, nil},
	{validate.InvalidNumberValue, w, 0, `{<allow>,<pull>,<all>,"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"1h"}}}`, `{<allow>,<pull>,<all>,"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"-1.5e3"}}}`, nil},
	{validate.InvalidAddressValue, sw, 0, `{<deny>,<pull>,<all>,"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/33"}}}`, `{<deny>,<pull>,<all>,"Condition":{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}}`, nil},
	{validate.InvalidAddressValue, w, 0, `{<deny>,<pull>,<all>,"Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.*"}}}`, `{<deny>,<pull>,<all>,"Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`, nil},
	{validate.AddressHostBits, sg, 0, `{<allow>,<pull>,<all>,"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}}}`, `{<allow>,<pull>,<all>,"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/32"}}}`, nil},
	{validate.InvalidBooleanValue, w, 0, `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransport":"yes"}}}`, `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransport":true}}}`, nil},
	{validate.InvalidBinaryValue, w, 0, `{<allow>,<pull>,<all>,"Condition":{"BinaryEquals":{"aws:username":"a"}}}`, `{<allow>,<pull>,<all>,"Condition":{"BinaryEquals":{"aws:username":"YQ=="}}}`, nil},
	{validate.InvalidARNValue, w, 0, `{<allow>,<pull>,<all>,"Condition":{"ArnLike":{"aws:PrincipalArn":"*"}}}`, `{<allow>,<pull>,<all>,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:*:iam::*:role/*"}}}`, nil},
	{validate.BooleanSpelling, w, 0, `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransport":"True"}}}`, `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, nil},
	{validate.MalformedVariable, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:userid":"${aws:username"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:userid":"$aws:username"}}}`, nil},
	{validate.MultivaluedVariable, w, 0, `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:userid":"${aws:TagKeys}"}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:userid":"${aws:username}"}}}`, nil},
	{validate.VariableUnsupportedInVersion, w, 0, `raw:{"Version":"2008-10-17","Statement":{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:${aws:username}"}}`, `raw:{"Version":"2008-10-17","Statement":{<allow>,<pull>,"Resource":"arn:aws:codecommit:us-east-1:111122223333:$aws"}}`, nil},
	{validate.VariableUnsupportedInElement, w, 0, `{<allow>,"Action":"codecommit:${aws}",<all>}`, `{<allow>,"Action":"codecommit:Git*",<all>}`, nil},
	{validate.InvalidVariableForOperator, w, 0, `{<allow>,<pull>,<all>,"Condition":{"IpAddress":{"aws:SourceIp":"${aws:VpcSourceIp}"}}}`, `{<allow>,<pull>,<all>,"Condition":{"ArnLike":{"aws:PrincipalArn":"${aws:SourceArn}"}}}`, nil},
	{validate.VariableInARNHead, w, 0, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:${aws:RequestedRegion}:111122223333:x"}`, `{<allow>,<pull>,"Resource":"arn:aws:codecommit:*:111122223333:x-${aws:RequestedRegion}"}`, nil},

	{validate.NullContradiction, sw, 0, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>},"Null":{<refs>:true}}}`, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>},"Null":{<refs>:false}}}`, nil},
	{validate.NullAlwaysTrue, w, 0, `{<deny>,<pull>,<all>,"Condition":{"Null":{"aws:username":["true","false"]}}}`, `{<deny>,<pull>,<all>,"Condition":{"Null":{"aws:username":["true"]}}}`, nil},
	{validate.NullWithSetOperator, w, 0, `{<deny>,<pull>,<all>,"Condition":{"ForAnyValue:Null":{"aws:username":"true"}}}`, `{<deny>,<pull>,<all>,"Condition":{"Null":{"aws:username":"true"}}}`, nil},
	{validate.IneffectiveOperator, w, 0, `{<deny>,<pull>,<all>,"Condition":{"Null":{"aws:username":"true"},"StringNotEquals":{"aws:username":"a"}}}`, `{<deny>,<pull>,<all>,"Condition":{"Null":{"aws:username":"false"},"StringNotEquals":{"aws:username":"a"}}}`, nil},
	{validate.ContradictingConditions, sw, 0, `{<deny>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"b"},"StringLike":{"aws:username":"a*"}}}`, `{<deny>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"ab"},"StringLike":{"aws:username":"a*"}}}`, nil},
	{validate.KeyCaseRepeated, w, 0, `{<deny>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"a","aws:UserName":"a"}}}`, `{<deny>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"a","aws:userid":"a"}}}`, nil},
	{validate.MFAWithoutIfExists, sw, 0, `{<deny>,<pull>,<all>,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`, `{<deny>,<pull>,<all>,"Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`, nil},
	{validate.MFAIfExistsInAllow, sw, 0, `{<allow>,<pull>,<all>,"Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}}`, `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`, nil},

	{validate.ReferenceNotFull, sw, 0, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:"main"}}}`, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, nil},
	{validate.ReferenceNotFull, w, 0, `{<allow>,<push>,<repo>,"Condition":{"StringLikeIfExists":{<refs>:"refs/head/x*"}}}`, `{<allow>,<push>,<repo>,"Condition":{"StringLikeIfExists":{<refs>:"*/main"}}}`, nil},
	{validate.DenyBlocksEveryPush, w, 0, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>},"Null":{<refs>:false}}}`, nil},
	{validate.DenyBlocksEveryPush, w, 0, `{<deny>,<push>,<repo>,"Condition":{"StringNotLike":{<refs>:"refs/heads/f/*"}}}`, `{<deny>,"Action":"codecommit:DeleteBranch",<repo>,"Condition":{"StringNotLike":{<refs>:"refs/heads/f/*"}}}`, nil},
	{validate.DenyBlocksEveryPush, w, 0, `{<deny>,<push>,<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>},"Null":{"aws:username":"false"}}}`, `{<deny>,<push>,<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, nil},
	{validate.AllowNeverPushes, w, 0, `{<allow>,<push>,<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, `{<allow>,<push>,<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`, nil},
	{validate.AllowNeverPushes, w, 0, `{<allow>,"Action":"codecommit:Git*",<repo>,"Condition":{"StringLike":{<refs>:"refs/tags/*"}}}`, `{<allow>,<push>,<repo>,"Condition":{"StringLike":{<refs>:"refs/tags/*"}}},{<allow>,<push>,<repo>,"Condition":{"Null":{<refs>:"true"}}}`, nil},
	{validate.RefProtectionIncomplete, sw, 0, `{<deny>,"Action":["codecommit:GitPush","codecommit:Merge*"],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, nil},
	{validate.RefProtectionIncomplete, sw, 0, `{<deny>,<push>,<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, `{<deny>,<push>,<repo>,"Condition":{"StringEquals":{<refs>:<main>}}},{<deny>,"NotAction":"codecommit:GitPush",<repo>,"Condition":{"StringLike":{<refs>:"refs/heads/m*"}}}`, nil},
	{validate.RefProtectionIncomplete, sw, 0, `{<deny>,"Action":["codecommit:DeleteBranch","codecommit:CreateBranch"],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, `{<deny>,"Action":"codecommit:DeleteBranch",<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, nil},

	{validate.AllowEverything, sw, 0, `{<allow>,"Action":"*",<all>}`, `{<allow>,"Action":"*",<all>,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, nil},
	{validate.AllowWithNotAction, sw, 0, `{<allow>,"NotAction":"iam:*",<all>}`, `{<deny>,"NotAction":"iam:*",<all>}`, nil},
	{validate.AllowWithNotResource, sw, 0, `{<allow>,<pull>,"NotResource":"arn:aws:codecommit:*:*:x"}`, `{<deny>,<pull>,"NotResource":"arn:aws:codecommit:*:*:x"}`, nil},
	{validate.AllowWithNotPrincipal, sw, policy.Resource, `{<allow>,<pull>,<all>,"NotPrincipal":{"AWS":"111122223333"}}`, `{<deny>,<pull>,<all>,"NotPrincipal":{"AWS":"111122223333"}}`, nil},
	{validate.PrincipalEveryone, sw, policy.Trust, `{<allow>,<assume>,"Principal":{"AWS":"*"}}`, `{<allow>,<assume>,"Principal":{"AWS":"*"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}`, nil},
	{validate.MissingVersion, sg, 0, `raw:{"Statement":{<allow>,<pull>,<all>}}`, `raw:{"Version":"2008-10-17","Statement":{<allow>,<pull>,<all>}}`, nil},
	{validate.RedundantAction, sg, 0, `{<allow>,"Action":["codecommit:GitPull","codecommit:Git*"],<all>}`, `{<allow>,"Action":["codecommit:GitPull","codecommit:Get*"],<all>}`, nil},
	{validate.RedundantResource, sg, 0, `{<allow>,<pull>,"Resource":["arn:aws:codecommit:us-east-1:111122223333:x","arn:aws:codecommit:*"]}`, `{<allow>,<pull>,"Resource":["arn:aws:codecommit:us-east-1:111122223333:x","arn:aws:codecommit:us-east-1:111122223333:${aws:username}"]}`, nil},
	{validate.RedundantValue, sg, 0, `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:username":["a*b","a*"]}}}`, `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":["ab","a"]}}}`, nil},
	{validate.RedundantStatement, sg, 0, `{<allow>,<pull>,<repo>},{<allow>,"Action":"codecommit:Git*",<repo>}`, `{<allow>,<pull>,<repo>},{<allow>,"Action":"codecommit:Git*",<repo>,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, nil},
	{validate.RedundantStatement, sg, 0, `{<deny>,<push>,<repo>,"Condition":{"StringEquals":{<refs>:<main>}}},{<deny>,<push>,<repo>,"Condition":{"StringLikeIfExists":{<refs>:"refs/heads/*"},"Null":{<refs>:"false"}}}`, `{<deny>,<push>,<repo>,"Condition":{"StringNotEquals":{<refs>:<main>}}},{<deny>,<push>,<repo>,"Condition":{"StringLikeIfExists":{<refs>:"refs/heads/*"},"Null":{<refs>:"false"}}}`, nil},
	{validate.UnreachableStatement, w, 0, `{<allow>,<pull>,<repo>},{<deny>,"NotAction":"iam:*",<all>}`, `{<allow>,"Action":"iam:GetUser",<all>},{<deny>,"NotAction":"iam:*",<all>}`, nil},
	{validate.UnreachableAction, w, 0, `{<allow>,"Action":["codecommit:GitPull","codecommit:DeleteRepository"],<repo>},{<deny>,"Action":"codecommit:Delete*",<all>}`, `{<allow>,"Action":["codecommit:GitPull","codecommit:DeleteRepository"],<repo>},{<deny>,"Action":"codecommit:DeleteRepository","Resource":"arn:aws:codecommit:us-east-1:111122223333:web"}`, nil},
}

func TestCodes(t *testing.T) {
	seen := map[validate.Code]bool{}
	for _, tc := range codeCases {
		seen[tc.code] = true
		t.Run(string(tc.code), func(t *testing.T) {
			opt := validate.Options{}
			if tc.opt != nil {
				opt = *tc.opt
			}
			hit := validate.Document(tc.kind, []byte(full(tc.hit)), opt)
			found := false
			for _, f := range hit {
				found = found || f.Code == tc.code && f.Severity == tc.severity
			}
			if !found {
				t.Errorf("no %s of severity %s in %s\n%s", tc.code, tc.severity, full(tc.hit), list(hit))
			}
			if miss := validate.Document(tc.kind, []byte(full(tc.miss)), opt); count(miss, tc.code) > 0 {
				t.Errorf("%s in %s\n%s", tc.code, full(tc.miss), list(miss))
			}
			sound(t, document{"hit", tc.kind, []byte(full(tc.hit)), false}, validate.Document(tc.kind, []byte(full(tc.hit)), here))
			sound(t, document{"miss", tc.kind, []byte(full(tc.miss)), false}, validate.Document(tc.kind, []byte(full(tc.miss)), here))
		})
	}
	for _, code := range validate.Codes() {
		if !seen[code] {
			t.Errorf("no case for %s", code)
		}
	}
}

func TestMends(t *testing.T) {
	for _, tc := range []struct{ name, document, code, want string }{
		{"spelling", `{<allow>,"Action":"codecommit:GitPsh",<all>}`, "UNKNOWN_ACTION", `{<allow>,"Action":"codecommit:GitPush",<all>}`},
		{"key", `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransprot":"true"}}}`, "UNKNOWN_CONDITION_KEY", `{<allow>,<pull>,<all>,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`},
		{"operator", `{<allow>,<pull>,<all>,"Condition":{"StringEqual":{"aws:username":"a"}}}`, "INVALID_CONDITION_OPERATOR", `{<allow>,<pull>,<all>,"Condition":{"StringEquals":{"aws:username":"a"}}}`},
		{"null", `{<deny>,<push>,<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`, "DENY_BLOCKS_EVERY_PUSH",
			`{<deny>,<push>,<repo>,"Condition":{"Null": {"codecommit:References": "false"}, "StringEqualsIfExists":{<refs>:<main>}}}`},
		{"null beside another", `{<deny>,<push>,<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>},"Null":{"aws:username":"false"}}}`, "DENY_BLOCKS_EVERY_PUSH",
			`{<deny>,<push>,<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>},"Null":{"codecommit:References": "false", "aws:username":"false"}}}`},
		{"if exists", `{<allow>,<push>,<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, "ALLOW_NEVER_PUSHES", `{<allow>,<push>,<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>}}}`},
		{"ref", `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:"main"}}}`, "REFERENCE_NOT_A_FULL_NAME", `{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`},
		{"hole", `{<deny>,"Action":["codecommit:GitPush","codecommit:DeleteBranch","codecommit:PutFile","codecommit:Merge*"],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`, "REF_PROTECTION_INCOMPLETE",
			`{<deny>,"Action":["codecommit:GitPush","codecommit:DeleteBranch","codecommit:PutFile","codecommit:Merge*", "codecommit:CreateBranch", "codecommit:CreateCommit", "codecommit:DeleteFile"],<repo>,"Condition":{"StringEquals":{<refs>:<main>}}}`},
		{"element", `{<allow>,<pull>,"Ressource":"*"}`, "INVALID_POLICY_ELEMENT", `{<allow>,<pull>,<all>}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := full(tc.document)
			for _, f := range validate.Document(policy.Identity, []byte(text), validate.Options{}) {
				if string(f.Code) != tc.code {
					continue
				}
				if f.Mend == nil {
					t.Fatalf("no mend: %v", f)
				}
				got, err := validate.Apply([]byte(text), f.Mend.Edits)
				if err != nil || string(got) != full(tc.want) {
					t.Errorf("got  %s\nwant %s (%v)", got, full(tc.want), err)
				}
				return
			}
			t.Errorf("no %s", tc.code)
		})
	}
}

// TestEverySyntaxError: one finding for each, and the statements that are right are
// checked all the same.
func TestEverySyntaxError(t *testing.T) {
	text := `{"Version":"2012-10-17","Statement":[
	{"Effect":"allow","Action":["GitPush","codecommit:GitPull","a:b:c"],"Resource":"payments"},
	{"Effect":"Allow","Action":"codecommit:GitPsh","Resource":"*"},
	{"Effect":"Deny","Action":"codecommit:GitPush","Resource":"*","Condition":{"StringSounds":{"a":"b"},"Bool":{"k":{}}},"Extra":1}
]}`
	var got []string
	for _, f := range validate.Document(policy.Identity, []byte(text), validate.Options{}) {
		got = append(got, f.Start.String()+" "+string(f.Code))
	}
	want := "2:12 INVALID_EFFECT|2:30 INVALID_ACTION|2:61 INVALID_ACTION|2:81 INVALID_ARN|" +
		"3:29 UNKNOWN_ACTION|" +
		"4:77 INVALID_CONDITION_OPERATOR|4:114 INVALID_ELEMENT_TYPE|4:119 INVALID_POLICY_ELEMENT"
	if g := strings.Join(got, "|"); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}
