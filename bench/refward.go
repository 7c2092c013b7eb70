package main

import (
	"fmt"
	"log"
	"strings"

	"github.com/refward/refward/policy"
)

const refwardName = "Refward"

const storyIAM = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Work",
      "Effect": "Allow",
      "Action": ["codecommit:GitPull", "codecommit:GitPush", "codecommit:CreateBranch", "codecommit:CreatePullRequest", "codecommit:Get*", "codecommit:List*"],
      "Resource": "arn:aws:codecommit:us-east-1:111122223333:payments"
    },
    {
      "Sid": "KeepOffMaster",
      "Effect": "Deny",
      "Action": [
        "codecommit:GitPush", "codecommit:DeleteBranch", "codecommit:PutFile",
        "codecommit:MergeBranchesByFastForward", "codecommit:MergeBranchesBySquash", "codecommit:MergeBranchesByThreeWay",
        "codecommit:MergePullRequestByFastForward", "codecommit:MergePullRequestBySquash", "codecommit:MergePullRequestByThreeWay"
      ],
      "Resource": "arn:aws:codecommit:us-east-1:111122223333:payments",
      "Condition": {
        "StringEqualsIfExists": {"codecommit:References": ["refs/heads/master"]},
        "Null": {"codecommit:References": false}
      }
    }
  ]
}`

type refward struct {
	situation *policy.Situation
	requests  map[string]*policy.Request
}

func newRefward() *refward {
	return &refward{requests: map[string]*policy.Request{closedRef: push(closedRef), openRef: push(openRef)}}
}

func push(ref string) *policy.Request {
	r := &policy.Request{Action: "codecommit:GitPush", Resource: "arn:aws:codecommit:us-east-1:111122223333:payments"}
	for _, kv := range keys {
		r.Context.Set(kv[0], kv[1])
	}
	r.Context.Set("codecommit:References", ref)
	return r
}

func (r *refward) name() string { return refwardName }

func (r *refward) read() error {
	p, err := policy.Parse(policy.Source{Name: "DenyChangesToMaster", Owner: "group Juniors"}, policy.Identity, []byte(storyIAM))
	if err != nil {
		return err
	}
	r.situation = &policy.Situation{Identity: []*policy.Policy{p}}
	return nil
}

func (r *refward) decide(ref string) bool { return r.situation.Decide(r.requests[ref]) == policy.Allow }

func (r *refward) ask(ref string) bool { return r.situation.Decide(push(ref)) == policy.Allow }

// ownTasks are those that the others have no equivalent of, or are not asked for.
func ownTasks() []*task {
	r := newRefward()
	if err := r.read(); err != nil {
		log.Fatal(err)
	}
	own := func(name string, run func()) *task { return &task{subject: refwardName, name: name, run: run} }
	tasks := []*task{own("explain: outcome, line, digests", func() {
		e := r.situation.Explain(r.requests[closedRef])
		_, _, _ = e.Outcome(), e.Line(), e.Digests()
	})}
	large := principal(10, 20, true)
	tasks = append(tasks, own("10 policies of 20 statements, 40 about the action", func() { large.Decide(r.requests[openRef]) }))
	other := push(openRef)
	other.Action = "codecommit:Action5A"
	for _, n := range [...]int{10, 100, 1000} {
		s := principal(max(1, n/100), min(n, 100), false)
		tasks = append(tasks, own(fmt.Sprintf("%d statements, one about the action", n), func() { s.Decide(other) }))
	}
	return tasks
}

// principal has policies none of which allows the push. With pushes two of ten
// statements are about it.
func principal(policies, statements int, pushes bool) *policy.Situation {
	s := &policy.Situation{}
	for i := range policies {
		src := policy.Source{Name: fmt.Sprint("policy", i)}
		p, err := policy.Parse(src, policy.Identity, []byte(document(statements, statements*i, pushes)))
		if err != nil {
			log.Fatal(err)
		}
		s.Identity = append(s.Identity, p)
	}
	return s
}

func document(statements, offset int, pushes bool) string {
	var out []string
	for i := range statements {
		action := fmt.Sprintf(`"codecommit:Action%dA", "codecommit:Action%dB"`, offset+i, offset+i)
		switch {
		case pushes && i%10 == 3:
			action = `"codecommit:Git*"`
		case pushes && i%10 == 7:
			action = `"codecommit:GitPush", "codecommit:GitPull"`
		}
		out = append(out, fmt.Sprintf(`{"Effect": "Allow", "Action": [%s],
			"Resource": ["arn:aws:codecommit:*:111122223333:team%d-*", "arn:aws:codecommit:us-east-1:111122223333:${aws:username}-%d"],
			"Condition": {"StringLikeIfExists": {"codecommit:References": ["refs/heads/feature/*", "refs/heads/${aws:username}/*"]}}}`,
			action, offset+i, i))
	}
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(out, ",\n") + `]}`
}
