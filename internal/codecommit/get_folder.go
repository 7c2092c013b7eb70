package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/op"
)

// GetFolder lists one level of a folder as a commit has it.
func (s *Service) GetFolder() *op.Operation[api.GetFolderInput, api.GetFolderOutput] {
	return &op.Operation[api.GetFolderInput, api.GetFolderOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GetFolder", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.GetFolderInput) ([]authz.Check, error) {
			name, err1 := repositoryName(in.RepositoryName)
			_, err2 := optionalSpecifier(in.CommitSpecifier)
			_, err3 := folderPath(in.FolderPath)
			if err := firstError(err1, err2, err3); err != nil {
				return nil, err
			}
			return []authz.Check{s.check("GetFolder", name)}, nil
		},
		Run: s.getFolder,
	}
}

func (s *Service) getFolder(ctx context.Context, _ authz.Grant, in *api.GetFolderInput) (*api.GetFolderOutput, error) {
	p, err := folderPath(in.FolderPath)
	if err != nil {
		return nil, err
	}
	_, snap, objects, err := s.open(ctx, textOf(in.RepositoryName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	c, err := specifier(textOf(in.CommitSpecifier)).commit(ctx, snap, objects)
	if err != nil {
		return nil, err
	}
	e, err := entryAt(ctx, objects.Tree, c.Tree, p)
	if errors.Is(err, errNoEntry) || err == nil && e.Mode != object.ModeTree {
		return nil, errFolderDoesNotExist.New("The folder %q does not exist in the commit %s.", p, c.ID)
	}
	if err != nil {
		return nil, err
	}
	entries, err := objects.Tree(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	out := folderShape(p, entries)
	out.CommitId, out.TreeId = idText(c.ID), idText(e.ID)
	return out, nil
}

// folderShape sorts the entries of a folder by what they are.
func folderShape(p filePath, entries []object.TreeEntry) *api.GetFolderOutput {
	out := &api.GetFolderOutput{
		FolderPath:    new(p.String()),
		Files:         []types.File{},
		SubFolders:    []types.Folder{},
		SubModules:    []types.SubModule{},
		SymbolicLinks: []types.SymbolicLink{},
	}
	for _, e := range entries {
		absolute := append(append(filePath{}, p...), e.Name).String()
		switch name, id := e.Name, idText(e.ID); e.Mode {
		case object.ModeTree:
			out.SubFolders = append(out.SubFolders, types.Folder{AbsolutePath: &absolute, RelativePath: &name, TreeId: id})
		case object.ModeSubmodule:
			out.SubModules = append(out.SubModules, types.SubModule{AbsolutePath: &absolute, RelativePath: &name, CommitId: id})
		case object.ModeSymlink:
			out.SymbolicLinks = append(out.SymbolicLinks, types.SymbolicLink{
				AbsolutePath: &absolute, RelativePath: &name, BlobId: id, FileMode: fileModeName(e.Mode),
			})
		default:
			out.Files = append(out.Files, types.File{
				AbsolutePath: &absolute, RelativePath: &name, BlobId: id, FileMode: fileModeName(e.Mode),
			})
		}
	}
	return out
}
