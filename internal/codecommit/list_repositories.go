package codecommit

import (
	"cmp"
	"context"
	"fmt"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// repositoriesPerPage is the page of ListRepositories, which has no limit of the caller's.
const repositoriesPerPage = 1000

// ListRepositories lists the names of the account's repositories. IAM knows no resource
// for it: who may list, sees all names.
func (s *Service) ListRepositories() *op.Operation[api.ListRepositoriesInput, api.ListRepositoriesOutput] {
	return &op.Operation[api.ListRepositoriesInput, api.ListRepositoriesOutput]{
		Spec:   op.Spec{Service: "codecommit", Name: "ListRepositories"},
		Checks: s.listRepositoriesChecks,
		Run:    s.listRepositories,
	}
}

func (s *Service) listRepositoriesChecks(_ context.Context, _ authz.Caller, in *api.ListRepositoriesInput) ([]authz.Check, error) {
	if _, _, err := s.listedAfter(in); err != nil {
		return nil, err
	}
	return []authz.Check{{Action: "codecommit:ListRepositories"}}, nil
}

// listedAfter returns the order that the request asks for and where the page begins.
func (s *Service) listedAfter(in *api.ListRepositoriesInput) (o RepositoryOrder, after string, err error) {
	switch in.SortBy {
	case "", types.SortByEnumRepositoryName:
	case types.SortByEnumModifiedDate:
		o.ByModified = true
	default:
		return o, "", errInvalidSortBy.New("Repositories cannot be sorted by %q, only by %s or %s.", in.SortBy,
			types.SortByEnumRepositoryName, types.SortByEnumModifiedDate)
	}
	switch in.Order {
	case "", types.OrderEnumAscending:
	case types.OrderEnumDescending:
		o.Descending = true
	default:
		return o, "", errInvalidOrder.New("The order %q is neither %s nor %s.", in.Order, types.OrderEnumAscending, types.OrderEnumDescending)
	}
	after, err = s.cursor(listRepositoriesPurpose(o), in.NextToken)
	return o, after, err
}

// listRepositoriesPurpose keeps a token from being used with another order.
func listRepositoriesPurpose(o RepositoryOrder) string {
	return fmt.Sprintf("ListRepositories by modified %t, descending %t", o.ByModified, o.Descending)
}

func (s *Service) listRepositories(ctx context.Context, _ authz.Grant, in *api.ListRepositoriesInput) (*api.ListRepositoriesOutput, error) {
	o, after, err := s.listedAfter(in)
	if err != nil {
		return nil, err
	}
	limit := cmp.Or(s.listed, repositoriesPerPage)
	var found []Repository
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
		found, err = tx.Repositories(ctx, s.Account, o, Page{After: after, Limit: limit + 1})
		return err
	})
	if err != nil {
		return nil, err
	}
	found, more := page(found, limit)
	out := &api.ListRepositoriesOutput{Repositories: []types.RepositoryNameIdPair{}}
	if more {
		out.NextToken = s.token(listRepositoriesPurpose(o), RepositoryCursor(o, found[limit-1]))
	}
	for _, r := range found {
		out.Repositories = append(out.Repositories, types.RepositoryNameIdPair{RepositoryId: new(string(r.ID)), RepositoryName: &r.Name})
	}
	return out, nil
}
