package codecommit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// differencesPage is the default and largest page of GetDifferences.
const differencesPage = 400

// GetDifferences lists the files that differ between two commits, in the order of
// their paths. It compares the two as they are, not from their merge base, and does
// not look for renames: as AWS does.
func (s *Service) GetDifferences() *op.Operation[api.GetDifferencesInput, api.GetDifferencesOutput] {
	return &op.Operation[api.GetDifferencesInput, api.GetDifferencesOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GetDifferences", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.GetDifferencesInput) ([]authz.Check, error) {
			q, err := s.comparison(in)
			if err != nil {
				return nil, err
			}
			return []authz.Check{s.check("GetDifferences", q.repository)}, nil
		},
		Run: s.getDifferences,
	}
}

// comparison is a validated GetDifferences.
type comparison struct {
	repository            string
	before, after         specifier // an empty before is no files at all
	beforePath, afterPath filePath
	page                  Page
	purpose               string
}

func (s *Service) comparison(in *api.GetDifferencesInput) (comparison, error) {
	var (
		q comparison
		e [6]error
	)
	q.repository, e[0] = repositoryName(in.RepositoryName)
	q.after, e[1] = requiredSpecifier(in.AfterCommitSpecifier)
	q.before, e[2] = optionalSpecifier(in.BeforeCommitSpecifier)
	q.beforePath, e[3] = folderPath(firstText(in.BeforePath, in.AfterPath))
	q.afterPath, e[4] = folderPath(firstText(in.AfterPath, in.BeforePath))
	q.page.Limit, e[5] = maxResults(in.MaxResults, differencesPage)
	if err := firstError(e[:]...); err != nil {
		return q, err
	}
	q.purpose = listingPurpose("GetDifferences", q.repository, string(q.before), string(q.after), q.beforePath.String(), q.afterPath.String())
	var err error
	q.page.After, err = s.cursor(q.purpose, in.NextToken)
	return q, err
}

// firstText returns the first text that is given, or an empty one: a path that is
// given for one side alone is that of both.
func firstText(texts ...*string) *string {
	for _, t := range texts {
		if t != nil {
			return t
		}
	}
	return new("")
}

func (s *Service) getDifferences(ctx context.Context, _ authz.Grant, in *api.GetDifferencesInput) (*api.GetDifferencesOutput, error) {
	q, err := s.comparison(in)
	if err != nil {
		return nil, err
	}
	_, snap, objects, err := s.open(ctx, q.repository)
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	before, after, err := q.sides(ctx, snap, objects)
	if err != nil {
		return nil, err
	}
	d := treeDiff{read: objects.Tree, after: q.page.After, limit: q.page.Limit + 1}
	if err := d.compare(ctx, "/", before, after); err != nil {
		return nil, err
	}
	found, more := page(d.found, q.page.Limit)
	out := &api.GetDifferencesOutput{Differences: make([]types.Difference, len(found))}
	for i, f := range found {
		out.Differences[i] = f.Difference
	}
	if more {
		out.NextToken = s.token(q.purpose, found[len(found)-1].place)
	}
	return out, nil
}

// sides finds what is compared: two trees, or two files. A path need exist on one side
// only.
func (q comparison) sides(ctx context.Context, snap *repo.Snapshot, objects *repo.Objects) (before, after diffSide, err error) {
	after, errAfter := side(ctx, snap, objects, q.after, q.afterPath)
	errBefore := errNoEntry
	if q.before != "" {
		before, errBefore = side(ctx, snap, objects, q.before, q.beforePath)
	}
	if errors.Is(errAfter, errNoEntry) && errors.Is(errBefore, errNoEntry) {
		return before, after, errPathDoesNotExist.New("The path %q does not exist.", q.afterPath)
	}
	for _, err := range []error{errAfter, errBefore} {
		if err != nil && !errors.Is(err, errNoEntry) {
			return before, after, err
		}
	}
	return before, after, nil
}

func side(ctx context.Context, snap *repo.Snapshot, objects *repo.Objects, spec specifier, p filePath) (diffSide, error) {
	c, err := spec.commit(ctx, snap, objects)
	if err != nil {
		return diffSide{}, err
	}
	e, err := entryAt(ctx, objects.Tree, c.Tree, p)
	return diffSide{path: p.String(), entry: e}, err
}

// diffSide is one side of a comparison; without an ID there is nothing there.
type diffSide struct {
	path  string
	entry object.TreeEntry
}

func (s diffSide) exists() bool { return s.entry.ID != oid.Zero }
func (s diffSide) isTree() bool { return s.exists() && s.entry.Mode == object.ModeTree }
func (s diffSide) isFile() bool { return s.exists() && s.entry.Mode != object.ModeTree }

// under is the entry of that key in the folder s.
func (s diffSide) under(key string, e object.TreeEntry) diffSide {
	name := strings.TrimSuffix(key, "/")
	if s.path == "" {
		return diffSide{name, e}
	}
	return diffSide{s.path + "/" + name, e}
}

// treeDiff walks two trees side by side. Subtrees that are the same are not read.
type treeDiff struct {
	read  readsTree
	after string // only places greater than this
	limit int
	found []difference
}

// difference is a difference and its place: the path below what is compared, which is
// the same on both sides and in whose order the walk goes.
type difference struct {
	types.Difference
	place string
}

// compare lists the differences of two sides until the limit is reached. place is
// where they are, with a slash in front.
func (d *treeDiff) compare(ctx context.Context, place string, before, after diffSide) error {
	if len(d.found) >= d.limit || before.entry.ID == after.entry.ID && before.entry.Mode == after.entry.Mode {
		return nil
	}
	if before.isFile() || after.isFile() {
		d.file(place, before, after)
	}
	if !before.isTree() && !after.isTree() {
		return nil
	}
	old, err := d.entries(ctx, before)
	if err != nil {
		return err
	}
	now, err := d.entries(ctx, after)
	if err != nil {
		return err
	}
	for _, key := range keys(old, now) {
		if err := d.compare(ctx, place+key, before.under(key, old[key]), after.under(key, now[key])); err != nil {
			return err
		}
	}
	return nil
}

// entries reads a side that is a tree. The key of a folder is its name with a slash:
// so the order of the keys is that of the paths, and a folder never meets a file.
func (d *treeDiff) entries(ctx context.Context, s diffSide) (map[string]object.TreeEntry, error) {
	if !s.isTree() {
		return nil, nil
	}
	list, err := d.read(ctx, s.entry.ID)
	if err != nil {
		return nil, fmt.Errorf("read tree of %q: %w", s.path, err)
	}
	byKey := make(map[string]object.TreeEntry, len(list))
	for _, e := range list {
		if e.Mode == object.ModeTree {
			byKey[e.Name+"/"] = e
		} else {
			byKey[e.Name] = e
		}
	}
	return byKey, nil
}

// keys returns the keys of both, sorted.
func keys(a, b map[string]object.TreeEntry) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// file records one file that differs. A file on one side and a folder on the other
// is a deletion or an addition of the file.
func (d *treeDiff) file(place string, before, after diffSide) {
	if place <= d.after {
		return
	}
	var diff types.Difference
	switch {
	case before.isFile() && after.isFile():
		diff = types.Difference{ChangeType: types.ChangeTypeEnumModified, BeforeBlob: blobMetadata(before), AfterBlob: blobMetadata(after)}
	case before.isFile():
		diff = types.Difference{ChangeType: types.ChangeTypeEnumDeleted, BeforeBlob: blobMetadata(before)}
	default:
		diff = types.Difference{ChangeType: types.ChangeTypeEnumAdded, AfterBlob: blobMetadata(after)}
	}
	d.found = append(d.found, difference{diff, place})
}

func blobMetadata(s diffSide) *types.BlobMetadata {
	return &types.BlobMetadata{BlobId: idText(s.entry.ID), Mode: new(fmt.Sprintf("%06o", uint32(s.entry.Mode))), Path: new(s.path)}
}
