package iam_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

const (
	userARN  = "arn:aws:iam::" + account + ":user/"
	groupARN = "arn:aws:iam::" + account + ":group/"
	form     = "arn:${Partition}:codecommit:${Region}:${Account}:${RepositoryName}"
)

// entry is a context entry.
func entry(key string, kind types.ContextKeyTypeEnum, values ...string) types.ContextEntry {
	return types.ContextEntry{ContextKeyName: &key, ContextKeyType: kind, ContextKeyValues: values}
}

// simulatePush asks what policies of a source say of a push to a ref.
func simulatePush(source, ref string) *api.SimulatePrincipalPolicyInput {
	return &api.SimulatePrincipalPolicyInput{PolicySourceArn: &source, ActionNames: []string{"codecommit:GitPush"}, ResourceArns: []string{repository},
		ContextEntries: []types.ContextEntry{entry("codecommit:References", "string", ref)}}
}

// The answer names the policy, its owner and the statement that a refused push names,
// and says what a push comes to: before a change and right after it.
func TestSimulateJuniors(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	setUp(t, h, &api.CreateGroupInput{GroupName: aws.String("Juniors")},
		&api.PutGroupPolicyInput{GroupName: aws.String("Juniors"), PolicyName: aws.String("KeepOff"), PolicyDocument: aws.String(juniors)},
		&api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("Developer"), PolicyDocument: aws.String(allow(`"codecommit:*"`, `"*"`))},
		&api.AddUserToGroupInput{GroupName: aws.String("Juniors"), UserName: aws.String("bob")})
	simulate := func(source, ref string) types.EvaluationResult {
		t.Helper()
		out := run[api.SimulatePrincipalPolicyOutput](t, h, h.root(), simulatePush(source, ref))
		if len(out.EvaluationResults) != 1 || out.IsTruncated || out.Marker != nil {
			t.Fatalf("got %d results, truncated %v", len(out.EvaluationResults), out.IsTruncated)
		}
		return out.EvaluationResults[0]
	}
	statement := func(id string, kind types.PolicySourceType, from, to types.Position) []types.Statement {
		return []types.Statement{{SourcePolicyId: &id, SourcePolicyType: kind, StartPosition: &from, EndPosition: &to}}
	}
	want := func(decision types.PolicyEvaluationDecisionType, line string, by []types.Statement) types.EvaluationResult {
		why := map[string]types.PolicyEvaluationDecisionType{line: decision}
		return types.EvaluationResult{
			EvalActionName: aws.String("codecommit:GitPush"), EvalResourceName: aws.String(form), EvalDecision: decision,
			MatchedStatements: by, MissingContextValues: []string{}, EvalDecisionDetails: why,
			ResourceSpecificResults: []types.ResourceSpecificResult{{
				EvalResourceName: aws.String(repository), EvalResourceDecision: decision, MatchedStatements: by, MissingContextValues: []string{}, EvalDecisionDetails: why,
			}},
		}
	}
	end := types.Position{Line: 4, Column: int32(len(strings.Split(juniors, "\n")[3]) - len("]}") + 1)}
	denied := want("explicitDeny", `explicit deny: policy KeepOff of group Juniors, statement 1 "KeepMaster"`, statement("KeepOff of group Juniors", "group", types.Position{Line: 1, Column: 38}, end))
	allowed := want("allowed", `allow: policy Developer of user bob, statement 1 "A"`, statement("Developer of user bob", "user", types.Position{Line: 1, Column: 38}, types.Position{Line: 1, Column: int32(len(allow(`"codecommit:*"`, `"*"`)) - 1)}))
	none := want("implicitDeny", "implicit deny: no identity-based policy allows codecommit:GitPush; no Allow statement names the action", []types.Statement{})
	for _, tc := range []struct {
		source, ref string
		want        types.EvaluationResult
	}{
		{userARN + "bob", "refs/heads/master", denied},
		{userARN + "bob", "refs/heads/feature", allowed},
		{groupARN + "Juniors", "refs/heads/master", denied},
		{groupARN + "Juniors", "refs/heads/feature", none},
	} {
		if d := cmp.Diff(tc.want, simulate(tc.source, tc.ref), ignoreSDK); d != "" {
			t.Errorf("%s pushes %s (-want +got):\n%s", tc.source, tc.ref, d)
		}
	}
	_, err := h.authorizer.Authorize(t.Context(), bob, authz.Check{Action: "codecommit:GitPush", Resource: parsed(t, repository),
		Values: []authz.Value{{Key: "codecommit:References", Values: []string{"refs/heads/master"}}}})
	refusal, ok := errors.AsType[*authz.Denial](err)
	if !ok || denied.EvalDecisionDetails[refusal.Reason()] != "explicitDeny" || !strings.Contains(err.Error(), refusal.Reason()) {
		t.Errorf("a push is refused otherwise than the simulation says: %v", err)
	}
	setUp(t, h, &api.RemoveUserFromGroupInput{GroupName: aws.String("Juniors"), UserName: aws.String("bob")})
	if d := cmp.Diff(allowed, simulate(userARN+"bob", "refs/heads/master"), ignoreSDK); d != "" {
		t.Errorf("out of the group (-want +got):\n%s", d)
	}
}

var ignoreSDK = cmpopts.IgnoreUnexported(types.EvaluationResult{}, types.ResourceSpecificResult{}, types.Statement{}, types.Position{},
	types.PermissionsBoundaryDecisionDetail{})

func parsed(t testing.TB, text string) (a arn.ARN) {
	t.Helper()
	a, err := arn.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What a simulation says in short: the decision, the policies that made it, the keys that
// are missing, and what the boundary said.
func summary(decision types.PolicyEvaluationDecisionType, by []types.Statement, missing []string, b *types.PermissionsBoundaryDecisionDetail) string {
	var ids []string
	for _, s := range by {
		ids = append(ids, fmt.Sprintf("%s:%d", *s.SourcePolicyId, s.StartPosition.Column))
	}
	text := fmt.Sprint(decision, " ", ids, " ", missing)
	if b != nil {
		text += fmt.Sprint(" ", b.AllowedByPermissionsBoundary)
	}
	return text
}

func TestSimulateCustomPolicy(t *testing.T) {
	h := newHost(t)
	push, pull := allow(`"codecommit:GitPush"`, `"`+repository+`"`), allow(`"codecommit:GitPull"`, `"*"`)
	both := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:*","Resource":"*"},
{"Effect":"Deny","Action":"codecommit:GitPush","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:username}"}}}]}`
	other := "arn:aws:codecommit:us-east-1:" + account + ":other"
	for name, tc := range map[string]struct {
		in   api.SimulateCustomPolicyInput
		want []string
	}{
		"nothing allows": {api.SimulateCustomPolicyInput{PolicyInputList: []string{pull}, ActionNames: []string{"codecommit:GitPush"}},
			[]string{form + " implicitDeny [] []"}},
		"no policy": {api.SimulateCustomPolicyInput{PolicyInputList: []string{}, ActionNames: []string{"iam:ListUsers", "s3:GetObject"}},
			[]string{"* implicitDeny [] []", "* implicitDeny [] []"}},
		"of several": {api.SimulateCustomPolicyInput{PolicyInputList: []string{push, pull}, ActionNames: []string{"CodeCommit:gitpull"}},
			[]string{form + " allowed [PolicyInputList.2:38] []"}},
		"star is no repository": {api.SimulateCustomPolicyInput{PolicyInputList: []string{push}, ActionNames: []string{"codecommit:GitPush"}, ResourceArns: []string{"*"}},
			[]string{form + " implicitDeny [] []"}},
		"resources apart": {api.SimulateCustomPolicyInput{PolicyInputList: []string{push}, ActionNames: []string{"codecommit:GitPush"}, ResourceArns: []string{repository, other}},
			[]string{form + " implicitDeny [] []", "  " + repository + " allowed [PolicyInputList.1:38] []", "  " + other + " implicitDeny [] []"}},
		"keys are missing": {api.SimulateCustomPolicyInput{PolicyInputList: []string{both}, ActionNames: []string{"codecommit:GitPush"}},
			[]string{form + " allowed [PolicyInputList.1:38] [aws:PrincipalTag/team aws:username]"}},
		"keys are given": {api.SimulateCustomPolicyInput{PolicyInputList: []string{both}, ActionNames: []string{"codecommit:GitPush", "codecommit:GitPull"},
			ContextEntries: []types.ContextEntry{entry("AWS:UserName", "string", "x"), entry("aws:principaltag/Team", "stringList", "x")}},
			[]string{form + " explicitDeny [PolicyInputList.1:1] []", form + " allowed [PolicyInputList.1:38] []"}},
		"given without a value": {api.SimulateCustomPolicyInput{PolicyInputList: []string{both}, ActionNames: []string{"codecommit:GitPush"},
			ContextEntries: []types.ContextEntry{entry("aws:PrincipalTag/team", "stringList")}},
			[]string{form + " allowed [PolicyInputList.1:38] [aws:username]"}},
		"a boundary allows": {api.SimulateCustomPolicyInput{PolicyInputList: []string{push}, ActionNames: []string{"codecommit:GitPush"}, ResourceArns: []string{repository},
			PermissionsBoundaryPolicyInputList: []string{allow(`"codecommit:*"`, `"*"`)}},
			[]string{form + " allowed [PolicyInputList.1:38 PermissionsBoundaryPolicyInputList.1:38] [] true",
				"  " + repository + " allowed [PolicyInputList.1:38 PermissionsBoundaryPolicyInputList.1:38] [] true"}},
		"a boundary does not": {api.SimulateCustomPolicyInput{PolicyInputList: []string{push}, ActionNames: []string{"codecommit:GitPush"}, ResourceArns: []string{repository, other},
			PermissionsBoundaryPolicyInputList: []string{allow(`"codecommit:*"`, `"`+other+`"`)}},
			[]string{form + " implicitDeny [] [] false", "  " + repository + " implicitDeny [] [] false", "  " + other + " implicitDeny [] [] true"}},
		"a boundary denies": {api.SimulateCustomPolicyInput{PolicyInputList: []string{push}, ActionNames: []string{"codecommit:GitPush"}, ResourceArns: []string{repository, "*"},
			PermissionsBoundaryPolicyInputList: []string{anyPolicy}},
			[]string{form + " explicitDeny [PermissionsBoundaryPolicyInputList.1:38] [] false",
				"  " + repository + " explicitDeny [PermissionsBoundaryPolicyInputList.1:38] [] false", "  * explicitDeny [PermissionsBoundaryPolicyInputList.1:38] [] false"}},
		"who calls, and whose it is, decide nothing": {api.SimulateCustomPolicyInput{PolicyInputList: []string{pull}, ActionNames: []string{"codecommit:GitPull"},
			CallerArn: aws.String(groupARN + "g"), ResourceOwner: aws.String("arn:aws:iam::" + account + ":root")},
			[]string{form + " allowed [PolicyInputList.1:38] []"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range run[api.SimulateCustomPolicyOutput](t, h, h.root(), &tc.in).EvaluationResults {
				explained(t, r)
				got = append(got, *r.EvalResourceName+" "+summary(r.EvalDecision, r.MatchedStatements, r.MissingContextValues, r.PermissionsBoundaryDecisionDetail))
				for _, s := range r.ResourceSpecificResults {
					got = append(got, "  "+*s.EvalResourceName+" "+summary(s.EvalResourceDecision, s.MatchedStatements, s.MissingContextValues, s.PermissionsBoundaryDecisionDetail))
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// explained: every answer has one line that says why, and that of all resources together
// is the line of the first that is decided so.
func explained(t *testing.T, r types.EvaluationResult) {
	t.Helper()
	words := map[types.PolicyEvaluationDecisionType]string{"allowed": "allow: ", "explicitDeny": "explicit deny: ", "implicitDeny": "implicit deny: "}
	check := func(name string, details map[string]types.PolicyEvaluationDecisionType, decision types.PolicyEvaluationDecisionType) (line string) {
		for line = range details {
			if len(details) != 1 || details[line] != decision || !strings.HasPrefix(line, words[decision]) {
				t.Errorf("%s: %v is said of %s", name, details, decision)
			}
			return line
		}
		t.Errorf("%s: nothing is said", name)
		return ""
	}
	all := check(*r.EvalActionName, r.EvalDecisionDetails, r.EvalDecision)
	first := ""
	for _, s := range r.ResourceSpecificResults {
		line := check(*s.EvalResourceName, s.EvalDecisionDetails, s.EvalResourceDecision)
		if first == "" && s.EvalResourceDecision == r.EvalDecision {
			first = line
		}
	}
	if len(r.ResourceSpecificResults) > 0 && all != first {
		t.Errorf("of all is said %q, of the first that is decided so %q", all, first)
	}
}

// A document may be one long word: what is said of it stays a line.
func TestSimulationSaysLittleOfLongWords(t *testing.T) {
	h := newHost(t)
	long := strings.Repeat("x", 60_000)
	for name, document := range map[string]string{
		"Sid":   `{"Version":"2012-10-17","Statement":{"Sid":"` + long + `","Effect":"Deny","Action":"*","Resource":"*"}}`,
		"value": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k:abc":"` + long + `"}}}}`,
		"key":   `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"k:` + long + `":"true"}}}}`,
	} {
		out := run[api.SimulateCustomPolicyOutput](t, h, h.root(), &api.SimulateCustomPolicyInput{PolicyInputList: []string{document}, ActionNames: []string{"codecommit:GitPush"}})
		for line := range out.EvaluationResults[0].EvalDecisionDetails {
			if len(line) > 1000 || !strings.Contains(line, "xxx…") {
				t.Errorf("%s: %d bytes: %.300s", name, len(line), line)
			}
		}
		explained(t, out.EvaluationResults[0])
	}
}

// Documents that are given stand beside those that are attached, whose cached
// compilation they leave alone.
func TestSimulateWithMorePolicies(t *testing.T) {
	h := newHost(t)
	user(t, h, "bob")
	setUp(t, h, &api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow(`"codecommit:*"`, `"*"`))})
	in := simulatePush(userARN+"bob", "refs/heads/x")
	for range 2 {
		in.PolicyInputList, in.PermissionsBoundaryPolicyInputList = []string{anyPolicy}, []string{allow(`"iam:*"`, `"*"`)}
		r := run[api.SimulatePrincipalPolicyOutput](t, h, h.root(), in).EvaluationResults[0]
		if got, want := summary(r.EvalDecision, r.MatchedStatements, nil, r.PermissionsBoundaryDecisionDetail), "explicitDeny [PolicyInputList.1:38] [] false"; got != want {
			t.Errorf("with a policy more: got %s, want %s", got, want)
		}
		in.PolicyInputList, in.PermissionsBoundaryPolicyInputList = nil, nil
		r = run[api.SimulatePrincipalPolicyOutput](t, h, h.root(), in).EvaluationResults[0]
		if got, want := summary(r.EvalDecision, r.MatchedStatements, nil, r.PermissionsBoundaryDecisionDetail), "allowed [p of user bob:38] []"; got != want {
			t.Errorf("without: got %s, want %s", got, want)
		}
	}
}

func TestSimulationRefuses(t *testing.T) {
	h := newHost(t)
	user(t, h, "bob")
	many := func(n int, format string) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	entries := func(all ...types.ContextEntry) func(*api.SimulatePrincipalPolicyInput) {
		return func(in *api.SimulatePrincipalPolicyInput) { in.ContextEntries = all }
	}
	long := allow(`"codecommit:GitPull`+strings.Repeat("*a", 50_000)+`"`, `"*"`)
	for name, tc := range map[string]struct {
		change        func(*api.SimulatePrincipalPolicyInput)
		code, message string
	}{
		"no source": {func(in *api.SimulatePrincipalPolicyInput) { in.PolicySourceArn = nil }, "ValidationError", "1 validation error detected: Value at 'policySourceArn' failed to satisfy constraint: Member must not be null"},
		"a session": {func(in *api.SimulatePrincipalPolicyInput) {
			in.PolicySourceArn = aws.String("arn:aws:sts::1:assumed-role/r/s")
		}, "InvalidInput", "Invalid Entity Arn: arn:aws:sts::1:assumed-role/r/s does not clearly define entity type and name."},
		"root": {func(in *api.SimulatePrincipalPolicyInput) {
			in.PolicySourceArn = aws.String("arn:aws:iam::" + account + ":root")
		}, "InvalidInput", ""},
		"a user and no name": {func(in *api.SimulatePrincipalPolicyInput) { in.PolicySourceArn = aws.String(userARN) }, "InvalidInput", ""},
		"no actions":         {func(in *api.SimulatePrincipalPolicyInput) { in.ActionNames = nil }, "ValidationError", ""},
		"a short action":     {func(in *api.SimulatePrincipalPolicyInput) { in.ActionNames = []string{"a:"} }, "ValidationError", ""},
		"many actions":       {func(in *api.SimulatePrincipalPolicyInput) { in.ActionNames = []string{"codecommit:Git*"} }, "InvalidInput", ""},
		"no such action":     {func(in *api.SimulatePrincipalPolicyInput) { in.ActionNames = []string{"codecommit:GitPuhs"} }, "InvalidInput", "Invalid action name: codecommit has no action codecommit:GitPuhs."},
		"no ARN":             {func(in *api.SimulatePrincipalPolicyInput) { in.ResourceArns = []string{"app"} }, "InvalidInput", "ResourceNames are not in a valid ARN format: app."},
		"a bad policy":       {func(in *api.SimulatePrincipalPolicyInput) { in.PolicyInputList = []string{anyPolicy, "{\n}"} }, "InvalidInput", "Syntax errors in policy. (PolicyInputList.2, line 1, column 1: the element Statement is missing)"},
		"a bad boundary":     {func(in *api.SimulatePrincipalPolicyInput) { in.PermissionsBoundaryPolicyInputList = []string{"x"} }, "InvalidInput", ""},
		"an empty policy":    {func(in *api.SimulatePrincipalPolicyInput) { in.PolicyInputList = []string{""} }, "ValidationError", ""},
		"two boundaries": {func(in *api.SimulatePrincipalPolicyInput) {
			in.PermissionsBoundaryPolicyInputList = []string{anyPolicy, anyPolicy}
		}, "InvalidInput", "Only one permissions boundary can be given."},
		"a resource policy": {func(in *api.SimulatePrincipalPolicyInput) { in.ResourcePolicy = aws.String(anyPolicy) }, "InvalidInput", ""},
		"EC2":               {func(in *api.SimulatePrincipalPolicyInput) { in.ResourceHandlingOption = aws.String("EC2-VPC-EBS") }, "InvalidInput", ""},
		"excluded policies": {func(in *api.SimulatePrincipalPolicyInput) {
			in.PolicyExclusionList = []types.PolicyIdentifier{&types.PolicyIdentifierMemberPolicyType{Value: "inline"}}
		}, "InvalidInput", ""},
		"a caller that is none": {func(in *api.SimulatePrincipalPolicyInput) { in.CallerArn = aws.String("bob") }, "InvalidInput", ""},
		"an owner that is none": {func(in *api.SimulatePrincipalPolicyInput) { in.ResourceOwner = aws.String("bob") }, "InvalidInput", ""},
		"no key":                {entries(types.ContextEntry{ContextKeyType: "string", ContextKeyValues: []string{"a"}}), "ValidationError", ""},
		"no type":               {entries(entry("k:abc", "", "a")), "ValidationError", ""},
		"no such type":          {entries(entry("k:abc", "text", "a")), "ValidationError", ""},
		"no number":             {entries(entry("k:abc", "numeric", "ten")), "InvalidInput", `The value "ten" of the context key k:abc is not a number.`},
		"one no number":         {entries(entry("k:abc", "numericList", "1", "ten")), "InvalidInput", `The value "ten" of the context key k:abc is not a number.`},
		"no boolean":            {entries(entry("k:abc", "boolean", "yes")), "InvalidInput", `The value "yes" of the context key k:abc is not true or false.`},
		"no address":            {entries(entry("k:abc", "ip", "10.0.0.0/8")), "InvalidInput", `The value "10.0.0.0/8" of the context key k:abc is not an IP address.`},
		"no date":               {entries(entry("k:abc", "dateList", "now")), "InvalidInput", `The value "now" of the context key k:abc is not a date.`},
		"no base64":             {entries(entry("k:abc", "binary", "a!")), "InvalidInput", `The value "a!" of the context key k:abc is not base64.`},
		"two of one":            {entries(entry("k:abc", "string", "a", "b")), "InvalidInput", "The context key k:abc has 2 values; type string has one, stringList any number."},
		"none of one":           {entries(entry("k:abc", "ip")), "InvalidInput", ""},
		"a key twice":           {entries(entry("k:abc", "stringList"), entry("K:ABC", "string", "b")), "InvalidInput", "The context key K:ABC is given twice."},
		"a foreign marker":      {func(in *api.SimulatePrincipalPolicyInput) { in.Marker = aws.String("AAAA") }, "ValidationError", ""},
		"no items":              {func(in *api.SimulatePrincipalPolicyInput) { in.MaxItems = aws.Int32(0) }, "ValidationError", ""},
		"too many pairs": {func(in *api.SimulatePrincipalPolicyInput) {
			in.ActionNames, in.ResourceArns = many(11, "s3:Get%d"), many(91, "arn:aws:s3:::b%d")
		}, "InvalidInput", "11 actions on 91 resources are 1001 simulations, more than 1000."},
		"too many documents": {func(in *api.SimulatePrincipalPolicyInput) {
			in.PolicyInputList = slices.Repeat([]string{anyPolicy}, 101)
		}, "InvalidInput", ""},
		"too much of them": {func(in *api.SimulatePrincipalPolicyInput) { in.PolicyInputList = []string{long, long} }, "InvalidInput", "The documents of PolicyInputList have more than 131072 bytes together."},
		"too much work": {func(in *api.SimulatePrincipalPolicyInput) {
			in.PolicyInputList, in.ResourceArns = []string{long}, many(1000, "arn:aws:s3:::b%d")
		}, "InvalidInput", "The simulation is too large: ask about fewer than 1 actions and 1000 resources at a time."},
		"too long an answer": {func(in *api.SimulatePrincipalPolicyInput) {
			one := `{"Effect":"Allow","Action":"a:b","Resource":"*"}`
			in.PolicyInputList = []string{`{"Statement":[` + strings.Repeat(one+",", 99) + one + `]}`}
			in.ResourceArns = many(500, "arn:aws:s3:::b%d")
		}, "InvalidInput", "The simulation is too large: ask about fewer than 1 actions and 500 resources at a time."},
		"too many keys": {func(in *api.SimulatePrincipalPolicyInput) {
			for _, k := range many(201, "k:abc%d") {
				in.ContextEntries = append(in.ContextEntries, entry(k, "stringList"))
			}
		}, "InvalidInput", "There are 201 context entries, more than 200."},
		"too long values": {entries(entry("k:abc", "stringList", many(20, strings.Repeat("v", 1000)+"%d")...)), "InvalidInput", "The context entries have more than 16384 bytes together."},
	} {
		t.Run(name, func(t *testing.T) {
			in := simulatePush(userARN+"bob", "refs/heads/x")
			in.ContextEntries = nil
			tc.change(in)
			_, err := invoke(t, h, h.root(), in)
			wantFault(t, "simulate", err, tc.code, tc.message)
		})
	}
	custom := &api.SimulateCustomPolicyInput{ActionNames: []string{"iam:GetUser"}}
	_, err := invoke(t, h, h.root(), custom)
	wantFault(t, "no policies", err, "ValidationError", "")
	custom.PolicyInputList = []string{anyPolicy}
	custom.OrderedOrganizationPolicyInputList = []types.OrderedOrganizationPolicyType{{ServiceControlPolicyInputList: []string{anyPolicy}}}
	_, err = invoke(t, h, h.root(), custom)
	wantFault(t, "an organization", err, "InvalidInput", "")
	for _, in := range []any{&api.GetContextKeysForCustomPolicyInput{}, &api.GetContextKeysForPrincipalPolicyInput{}} {
		_, err := invoke(t, h, h.root(), in)
		wantFault(t, operationOf(in), err, "ValidationError", "")
	}
	for _, in := range []any{
		&api.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{"{"}},
		&api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: aws.String(userARN + "bob"), PolicyInputList: []string{"{"}},
		&api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")},
	} {
		_, err := invoke(t, h, h.root(), in)
		wantFault(t, operationOf(in), err, "InvalidInput", "")
	}
}

// Every page has what the whole has, and a marker serves the list that it was given for.
func TestSimulationPages(t *testing.T) {
	h := newHost(t)
	user(t, h, "bob")
	in := simulatePush(userARN+"bob", "refs/heads/x")
	in.ActionNames = []string{"iam:GetUser", "codecommit:GitPull", "iam:GetUser", "s3:GetObject", "iam:ListUsers"}
	for _, items := range []int32{1, 2, 3, 5, 1000} {
		in.MaxItems, in.Marker = &items, nil
		var got []string
		for more := true; more; {
			out := run[api.SimulatePrincipalPolicyOutput](t, h, h.root(), in)
			if n := len(out.EvaluationResults); n > int(items) || n == 0 {
				t.Fatalf("a page of %d with %d results", items, n)
			}
			for _, r := range out.EvaluationResults {
				got = append(got, *r.EvalActionName)
			}
			in.Marker, more = out.Marker, out.IsTruncated
			if more != (out.Marker != nil) {
				t.Fatal("a marker and no more, or more and no marker")
			}
		}
		if d := cmp.Diff(in.ActionNames, got); d != "" {
			t.Errorf("pages of %d (-want +got):\n%s", items, d)
		}
	}
	in.MaxItems = aws.Int32(1)
	marker := run[api.SimulatePrincipalPolicyOutput](t, h, h.root(), in).Marker
	_, err := invoke(t, h, h.root(), &api.SimulatePrincipalPolicyInput{PolicySourceArn: in.PolicySourceArn, ActionNames: in.ActionNames[:1], Marker: marker})
	wantFault(t, "the marker of another list", err, "ValidationError", "")
}

// A page ends before its answer is too long, whatever MaxItems says.
func TestSimulationPagesAreBounded(t *testing.T) {
	h := newHost(t)
	one := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	in := &api.SimulateCustomPolicyInput{PolicyInputList: []string{`{"Statement":[` + strings.Repeat(one+",", 999) + one + `]}`}}
	for i := range 60 {
		in.ActionNames = append(in.ActionNames, fmt.Sprint("s3:Get", i))
	}
	results, statements := 0, 0
	for more := true; more; {
		out := run[api.SimulateCustomPolicyOutput](t, h, h.root(), in)
		statements = 0
		for _, r := range out.EvaluationResults {
			statements += len(r.MatchedStatements)
		}
		if statements > 50_000 {
			t.Errorf("a page lists %d statements", statements)
		}
		results += len(out.EvaluationResults)
		in.Marker, more = out.Marker, out.IsTruncated
	}
	if results != 60 || statements == 60_000 {
		t.Errorf("%d results, %d statements on the last page", results, statements)
	}
}

func TestContextKeys(t *testing.T) {
	h := newHost(t)
	user(t, h, "bob")
	condition := func(key string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::` + account + `:user/${aws:username}","Condition":{"StringEquals":{"` + key + `":"${aws:userid}"}}}}`
	}
	setUp(t, h, &api.CreateGroupInput{GroupName: aws.String("g")}, &api.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("bob")},
		&api.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("p"), PolicyDocument: aws.String(condition("k:group"))},
		&api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"), PolicyDocument: aws.String(condition("k:user"))})
	for name, tc := range map[string]struct {
		in   any
		want []string
	}{
		"custom":        {&api.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{condition("k:abc"), condition("K:ABC"), juniors}}, []string{"aws:userid", "aws:username", "codecommit:References", "k:abc"}},
		"none":          {&api.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{anyPolicy}}, []string{}},
		"user":          {&api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: aws.String(userARN + "bob")}, []string{"aws:userid", "aws:username", "k:group", "k:user"}},
		"group and one": {&api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: aws.String(groupARN + "g"), PolicyInputList: []string{juniors}}, []string{"aws:userid", "aws:username", "codecommit:References", "k:group"}},
	} {
		out, err := invoke(t, h, h.root(), tc.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		switch out := out.(type) {
		case *api.GetContextKeysForCustomPolicyOutput:
			got = out.ContextKeyNames
		case *api.GetContextKeysForPrincipalPolicyOutput:
			got = out.ContextKeyNames
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Who may simulate one user's policies may not simulate another's, and the tags of the
// user are in the question.
func TestSimulatingAsksAboutTheSource(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	user(t, h, "amy")
	user(t, h, "eve")
	setUp(t, h, &api.TagUserInput{UserName: aws.String("amy"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}},
		&api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["iam:SimulatePrincipalPolicy","iam:GetContextKeysForPrincipalPolicy"],"Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/team":"red"}}}]}`)})
	for source, want := range map[string]bool{userARN + "amy": true, userARN + "eve": false, userARN + "bob": false, userARN + "p/amy": false, groupARN + "amy": false} {
		for _, in := range []any{simulatePush(source, "x"), &api.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: &source}} {
			if _, err := invoke(t, h, bob, in); (err == nil) != want || !want && !fault.Has(err, fault.AccessDenied) {
				t.Errorf("%s of %s: got %v, want allowed %v", operationOf(in), source, err, want)
			}
		}
	}
}

// Of a request whose context is given, a simulation says what authz decides when the
// request is made, for the same reason.
func TestSimulationIsTheDecision(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	bob.UserAgent, bob.Secure, bob.Region = "git/2", true, "us-east-1"
	setUp(t, h, &api.TagUserInput{UserName: aws.String("bob"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("app")}}},
		&api.CreateGroupInput{GroupName: aws.String("g")}, &api.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("bob")})
	// What the connection, the clock and the user's row say.
	environment := []types.ContextEntry{
		entry("aws:PrincipalArn", "string", userARN+"bob"), entry("aws:PrincipalAccount", "string", account), entry("aws:PrincipalType", "string", "User"),
		entry("aws:userid", "string", bob.Principal.UserID), entry("aws:username", "string", "bob"), entry("aws:PrincipalTag/team", "string", "app"),
		entry("aws:UserAgent", "string", "git/2"), entry("aws:SecureTransport", "boolean", "true"), entry("aws:RequestedRegion", "string", "us-east-1"),
		entry("aws:ResourceAccount", "string", account), entry("aws:CurrentTime", "date", "2024-02-29T12:00:00Z"), entry("aws:EpochTime", "numeric", "1709208000"),
		entry("aws:ViaAWSService", "boolean", "false"), entry("aws:PrincipalIsAWSService", "boolean", "false"),
	}
	actions := []string{"codecommit:GitPush", "codecommit:GitPull", "codecommit:DeleteBranch", "iam:GetUser"}
	outcomes := map[types.PolicyEvaluationDecisionType]int{}
	rapid.Check(t, func(rt *rapid.T) {
		for _, in := range []any{
			&api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"), PolicyDocument: aws.String(drawPolicy(rt))},
			&api.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("p"), PolicyDocument: aws.String(drawPolicy(rt))},
		} {
			if _, err := invoke(t, h, h.root(), in); err != nil {
				rt.Fatal(err)
			}
		}
		action := rapid.SampledFrom(actions).Draw(rt, "action")
		resource := rapid.SampledFrom([]string{repository, "arn:aws:codecommit:us-east-1:" + account + ":bob", userARN + "bob"}).Draw(rt, "resource")
		check := authz.Check{Action: action, Resource: parsed(t, resource)}
		given := slices.Clone(environment)
		for _, key := range []string{"codecommit:References", "aws:TagKeys"} {
			if values := rapid.SliceOfN(rapid.SampledFrom([]string{"refs/heads/master", "refs/heads/x", "", "bob"}), 0, 2).Draw(rt, key); len(values) > 0 {
				check.Values = append(check.Values, authz.Value{Key: key, Values: values})
				given = append(given, entry(key, "stringList", values...))
			}
		}
		h.decisions.asked()
		if _, err := h.authorizer.AuthorizeEach(context.Background(), bob, check); err != nil {
			rt.Fatal(err)
		}
		decided := h.decisions.entries[0]
		out, err := invoke(t, h, h.root(), &api.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(userARN + "bob"),
			ActionNames: []string{action}, ResourceArns: []string{resource}, ContextEntries: given})
		if err != nil {
			rt.Fatal(err)
		}
		r := out.(*api.SimulatePrincipalPolicyOutput).EvaluationResults[0].ResourceSpecificResults[0]
		outcomes[r.EvalResourceDecision]++
		want := map[policy.Outcome]types.PolicyEvaluationDecisionType{policy.Allow: "allowed", policy.ExplicitDeny: "explicitDeny", policy.ImplicitDeny: "implicitDeny"}
		if r.EvalResourceDecision != want[decided.Outcome] {
			rt.Fatalf("simulated %s, decided %s", r.EvalResourceDecision, decided.Reason)
		}
		if len(r.MissingContextValues) > 0 && slices.ContainsFunc(r.MissingContextValues, func(k string) bool { return !strings.Contains("codecommit:References aws:TagKeys", k) }) {
			rt.Fatalf("missing %v of what was given", r.MissingContextValues)
		}
		if len(r.EvalDecisionDetails) != 1 || r.EvalDecisionDetails[decided.Reason] != r.EvalResourceDecision {
			rt.Fatalf("the decision is %q, the simulation says %v", decided.Reason, r.EvalDecisionDetails)
		}
		named := slices.ContainsFunc(r.MatchedStatements, func(s types.Statement) bool {
			return strings.Contains(decided.Reason, ": policy "+*s.SourcePolicyId+", statement ")
		})
		if named != (decided.Outcome != policy.ImplicitDeny) {
			rt.Fatalf("the decision is %q, the simulation lists %d statements", decided.Reason, len(r.MatchedStatements))
		}
	})
	if len(outcomes) != 3 {
		t.Errorf("not every outcome was met: %v", outcomes)
	}
}

// drawPolicy draws a document whose words meet those of the requests often.
func drawPolicy(t *rapid.T) string {
	quoted := func(label string, words ...string) string { return `"` + rapid.SampledFrom(words).Draw(t, label) + `"` }
	var all []string
	for range rapid.IntRange(1, 2).Draw(t, "statements") {
		s := `{"Effect":` + quoted("effect", "Allow", "Allow", "Deny") + `,"Action":` + quoted("action", "*", "codecommit:*", "codecommit:GitPush", "iam:*") +
			`,"Resource":` + quoted("resource", "*", repository, "arn:aws:codecommit:*", "arn:aws:codecommit:*:*:${aws:username}", "arn:aws:iam::*:user/${aws:username}")
		if rapid.Bool().Draw(t, "conditional") {
			s += `,"Condition":{` + quoted("operator", "StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringLike", "Null") + `:{` +
				quoted("key", "codecommit:References", "aws:TagKeys", "aws:username", "aws:PrincipalTag/team", "aws:CurrentTime", "aws:SecureTransport", "aws:UserAgent", "aws:ResourceAccount", "aws:PrincipalType") +
				`:` + quoted("value", "true", "false", "bob", "app", "refs/heads/*", "refs/heads/master", "User", account, "git/*", "2024-02-29T12:00:00Z", "${aws:username}") + `}}`
		}
		all = append(all, s+"}")
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`
}
