package main

import (
	"context"
	"log"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

const storyRego = `package story

work := {"codecommit:GitPull", "codecommit:GitPush", "codecommit:CreateBranch", "codecommit:CreatePullRequest"}

changes := {
	"codecommit:GitPush", "codecommit:DeleteBranch", "codecommit:PutFile",
	"codecommit:MergeBranchesByFastForward", "codecommit:MergeBranchesBySquash", "codecommit:MergeBranchesByThreeWay",
	"codecommit:MergePullRequestByFastForward", "codecommit:MergePullRequestBySquash", "codecommit:MergePullRequestByThreeWay",
}

payments := "arn:aws:codecommit:us-east-1:111122223333:payments"

may_work if input.action in work
may_work if startswith(input.action, "codecommit:Get")
may_work if startswith(input.action, "codecommit:List")

deny if {
	input.action in changes
	input.resource == payments
	input.context["codecommit:References"] == "refs/heads/master"
}

default allow := false

allow if {
	may_work
	input.resource == payments
	not deny
}
`

type opaQuery struct {
	query  rego.PreparedEvalQuery
	inputs map[string]ast.Value
}

func newOPA() *opaQuery {
	return &opaQuery{inputs: map[string]ast.Value{closedRef: opaInput(closedRef), openRef: opaInput(openRef)}}
}

func opaInput(ref string) ast.Value {
	values := make(map[string]any, len(keys)+1)
	for _, kv := range keys {
		values[kv[0]] = kv[1]
	}
	values["codecommit:References"] = ref
	v, err := ast.InterfaceToValue(map[string]any{
		"action":   "codecommit:GitPush",
		"resource": "arn:aws:codecommit:us-east-1:111122223333:payments",
		"context":  values,
	})
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func (o *opaQuery) name() string { return "OPA, prepared Rego" }

func (o *opaQuery) read() error {
	var err error
	o.query, err = rego.New(rego.Query("data.story.allow"), rego.Module("story.rego", storyRego)).PrepareForEval(context.Background())
	return err
}

func (o *opaQuery) decide(ref string) bool { return o.eval(o.inputs[ref]) }

func (o *opaQuery) ask(ref string) bool { return o.eval(opaInput(ref)) }

func (o *opaQuery) eval(input ast.Value) bool {
	results, err := o.query.Eval(context.Background(), rego.EvalParsedInput(input))
	if err != nil {
		log.Fatal(err)
	}
	return results.Allowed()
}
