package codecommit

import (
	"fmt"

	"github.com/refward/refward/internal/git/refname"
)

// The permitted ways that refusals name. They decide nothing.

// wayOfBranch is for a caller who may not change a branch.
func wayOfBranch(ref refname.Name) string {
	if !ref.IsBranch() {
		return ""
	}
	return fmt.Sprintf("Push a branch of your own instead, such as git push origin HEAD:refs/heads/my-change, and open a pull request into %s: "+
		"aws codecommit create-pull-request", ref.Short())
}

// wayOfMerge is for a caller who may not merge into a branch.
func wayOfMerge(ref refname.Name) string {
	return fmt.Sprintf("Leave the pull request open, or open one into %s with aws codecommit create-pull-request, and ask someone who may merge into it", ref.Short())
}
