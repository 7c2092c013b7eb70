package main

import (
	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// A wildcard in an action is a group of actions in Cedar.
const storyCedar = `
@id("Work")
permit (
  principal in Group::"Juniors",
  action in [Action::"GitPull", Action::"GitPush", Action::"CreateBranch", Action::"CreatePullRequest", Action::"Get", Action::"List"],
  resource == Repository::"arn:aws:codecommit:us-east-1:111122223333:payments"
);

@id("KeepOffMaster")
forbid (
  principal in Group::"Juniors",
  action in [
    Action::"GitPush", Action::"DeleteBranch", Action::"PutFile",
    Action::"MergeBranchesByFastForward", Action::"MergeBranchesBySquash", Action::"MergeBranchesByThreeWay",
    Action::"MergePullRequestByFastForward", Action::"MergePullRequestBySquash", Action::"MergePullRequestByThreeWay"
  ],
  resource == Repository::"arn:aws:codecommit:us-east-1:111122223333:payments"
) when { context has "codecommit:References" && context["codecommit:References"] == "refs/heads/master" };
`

type cedarPolicies struct {
	set      *cedar.PolicySet
	entities cedar.EntityMap
	requests map[string]cedar.Request
}

func newCedar() *cedarPolicies {
	junior := cedar.NewEntityUID("User", "juniordev")
	return &cedarPolicies{
		entities: cedar.EntityMap{junior: {
			UID: junior, Parents: cedar.NewEntityUIDSet(cedar.NewEntityUID("Group", "Juniors")),
		}},
		requests: map[string]cedar.Request{closedRef: cedarRequest(closedRef), openRef: cedarRequest(openRef)},
	}
}

func cedarRequest(ref string) cedar.Request {
	record := make(cedar.RecordMap, len(keys)+1)
	for _, kv := range keys {
		record[types.String(kv[0])] = types.String(kv[1])
	}
	record["codecommit:References"] = types.String(ref)
	return cedar.Request{
		Principal: cedar.NewEntityUID("User", "juniordev"),
		Action:    cedar.NewEntityUID("Action", "GitPush"),
		Resource:  cedar.NewEntityUID("Repository", "arn:aws:codecommit:us-east-1:111122223333:payments"),
		Context:   cedar.NewRecord(record),
	}
}

func (c *cedarPolicies) name() string { return "cedar-go" }

func (c *cedarPolicies) read() error {
	var err error
	c.set, err = cedar.NewPolicySetFromBytes("story.cedar", []byte(storyCedar))
	return err
}

func (c *cedarPolicies) decide(ref string) bool { return c.authorize(c.requests[ref]) }

func (c *cedarPolicies) ask(ref string) bool { return c.authorize(cedarRequest(ref)) }

func (c *cedarPolicies) authorize(r cedar.Request) bool {
	decision, _ := cedar.Authorize(c.set, c.entities, r)
	return decision == cedar.Allow
}
