package demo

import (
	_ "embed" // the two documents
	"strings"

	"github.com/refward/refward/internal/person"
)

// Names of the story.
const (
	Repository = "MyDemoRepo"
	Juniors    = "Juniors"
	Approvers  = "Approvers"
	Junior     = "juniordev"
	Senior     = "seniordev"
	Feature    = "newFeature"
)

// policyOf names the policy on each group.
var policyOf = map[string]string{Juniors: "DenyChangesToMaster", Approvers: "ApproveChanges"}

//go:embed policies/juniors.json
var juniors string

//go:embed policies/approvers.json
var approvers string

// JuniorsPolicy allows everything on the repository and denies pushes and merges to its
// master branch. It is the list that everyone copies, and it has holes: CreateCommit and
// DeleteFile are not in it, nor what takes the repository away from under the policy. See
// docs/story.md.
func JuniorsPolicy(p person.Place, account string) string { return fill(juniors, p, account) }

// ApproversPolicy allows everything on the repository.
func ApproversPolicy(p person.Place, account string) string { return fill(approvers, p, account) }

func fill(document string, p person.Place, account string) string {
	return strings.NewReplacer("REGION", p.Region, "ACCOUNT", account).Replace(document)
}
