package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// branchesPage is how many names one page of ListBranches has; the API has no
// member to ask for fewer.
const branchesPage = 1000

// ListBranches lists the short names of the branches, byte-wise.
func (s *Service) ListBranches() *op.Operation[api.ListBranchesInput, api.ListBranchesOutput] {
	return &op.Operation[api.ListBranchesInput, api.ListBranchesOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "ListBranches", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.ListBranchesInput) ([]authz.Check, error) {
			name, err := repositoryName(in.RepositoryName)
			if err != nil {
				return nil, err
			}
			_, err = s.cursor(branchesPurpose(name), in.NextToken)
			return []authz.Check{s.check("ListBranches", name)}, err
		},
		Run: s.listBranches,
	}
}

func branchesPurpose(repository string) string { return "ListBranches " + repository }

func (s *Service) listBranches(ctx context.Context, _ authz.Grant, in *api.ListBranchesInput) (*api.ListBranchesOutput, error) {
	name := textOf(in.RepositoryName)
	after, err := s.cursor(branchesPurpose(name), in.NextToken)
	if err != nil {
		return nil, err
	}
	_, snap, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	refs, more := page(branchesAfter(snap, after), branchesPage)
	out := &api.ListBranchesOutput{Branches: make([]string, len(refs))}
	for i, ref := range refs {
		out.Branches[i] = ref.Name.Short()
	}
	if more {
		out.NextToken = s.token(branchesPurpose(name), string(refs[len(refs)-1].Name))
	}
	return out, nil
}

// branchesAfter returns branches whose full names are greater than after, in order: no
// more than one page and the one that says that there is another.
func branchesAfter(snap *repo.Snapshot, after string) (branches []repo.Ref) {
	for p := range snap.Refs.Parts(refname.HeadsPrefix, after) {
		refs := p.Refs()
		branches = append(branches, refs[:min(len(refs), branchesPage+1-len(branches))]...)
		if len(branches) > branchesPage {
			break
		}
	}
	return branches
}
