package codecommit

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
)

var createCommitSpec = op.Spec{
	Service:  "codecommit",
	Name:     "CreateCommit",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "refs/heads/ and branchName"},
	Refs:     op.CreatesRef | op.FastForwardsRef,
}

// CreateCommit writes, deletes, moves and re-modes up to 100 files in one commit.
func (s *Service) CreateCommit() *op.Operation[api.CreateCommitInput, api.CreateCommitOutput] {
	return &op.Operation[api.CreateCommitInput, api.CreateCommitOutput]{
		Spec: createCommitSpec,
		Checks: func(_ context.Context, _ authz.Caller, in *api.CreateCommitInput) ([]authz.Check, error) {
			q, _, err := createCommitRequest(in)
			if err != nil {
				return nil, err
			}
			return s.commitChecks(q), nil
		},
		Run: s.createCommit,
	}
}

func (s *Service) createCommit(ctx context.Context, g authz.Grant, in *api.CreateCommitInput) (*api.CreateCommitOutput, error) {
	q, e, err := createCommitRequest(in)
	if err != nil {
		return nil, err
	}
	done, err := s.writeCommit(ctx, g, q)
	if err != nil {
		return nil, err
	}
	out := e.out
	out.CommitId, out.TreeId = idText(done.commit), idText(done.tree)
	return out, nil
}

// createCommitRequest validates the input.
func createCommitRequest(in *api.CreateCommitInput) (commitRequest, *fileChanges, error) {
	q := commitRequest{by: createCommitSpec}
	var e [6]error
	q.repository, e[0] = repositoryName(in.RepositoryName)
	q.parent, e[1] = parentCommitID(in.ParentCommitId)
	q.branch, e[2] = branch(in.BranchName)
	var changes *fileChanges
	changes, e[3] = fileChangesOf(in)
	q.author, e[4] = author(in.AuthorName, in.Email)
	q.message, e[5] = commitMessage(in.CommitMessage)
	if err := firstError(e[:]...); err != nil {
		return q, nil, err
	}
	q.edit = changes.stage
	return q, changes, nil
}

// fileChanges are the changes of a CreateCommit.
type fileChanges struct {
	puts        []filePut
	deletes     []filePath
	modes       []fileModeChange
	keepFolders bool
	out         *api.CreateCommitOutput // filled by stage
}

// filePut is one file to write: content, or another file of the parent commit.
type filePut struct {
	path    filePath
	mode    object.Mode // zero: as it is, NORMAL for a new file
	content []byte
	source  filePath // nil where there is content
	move    bool
}

type fileModeChange struct {
	path filePath
	mode object.Mode
}

func fileChangesOf(in *api.CreateCommitInput) (*fileChanges, error) {
	n := len(in.PutFiles) + len(in.DeleteFiles) + len(in.SetFileModes)
	switch {
	case n == 0:
		return nil, errFileEntryRequired.New("At least one file to put, to delete or to change the mode of is required.")
	case n > maxCommitFiles:
		return nil, errMaximumFileEntriesExceeded.New("The commit changes %d files; the limit is %d.", n, maxCommitFiles)
	case in.KeepEmptyFolders && len(in.DeleteFiles) == 0 && !anyMove(in.PutFiles):
		return nil, errInvalidDeletionParameter.New("keepEmptyFolders needs a file that is deleted or moved.")
	}
	c := &fileChanges{keepFolders: in.KeepEmptyFolders}
	total := 0
	for _, entry := range in.PutFiles {
		put, err := filePutOf(entry)
		if err != nil {
			return nil, err
		}
		if total += len(put.content); total > maxCommitBytes {
			return nil, errFileContentSizeLimitExceeded.New("The files of the commit have more than %d bytes together.", maxCommitBytes)
		}
		c.puts = append(c.puts, put)
	}
	for _, entry := range in.DeleteFiles {
		p, err := path(entry.FilePath)
		if err != nil {
			return nil, err
		}
		c.deletes = append(c.deletes, p)
	}
	for _, entry := range in.SetFileModes {
		change, err := fileModeChangeOf(entry)
		if err != nil {
			return nil, err
		}
		c.modes = append(c.modes, change)
	}
	return c, c.clash()
}

func anyMove(puts []types.PutFileEntry) bool {
	for _, p := range puts {
		if p.SourceFile != nil && p.SourceFile.IsMove {
			return true
		}
	}
	return false
}

func filePutOf(entry types.PutFileEntry) (filePut, error) {
	var (
		put filePut
		err error
	)
	if put.path, err = writablePath(entry.FilePath); err != nil {
		return put, err
	}
	if entry.FileMode != "" {
		if put.mode, err = fileMode(entry.FileMode); err != nil {
			return put, err
		}
	}
	switch {
	case entry.SourceFile == nil && entry.FileContent == nil:
		return put, errSourceFileOrContentRequired.New("%q has neither content nor a source file.", put.path)
	case entry.SourceFile != nil && entry.FileContent != nil:
		return put, errFileContentAndSourceFile.New("%q has both content and a source file.", put.path)
	case entry.SourceFile == nil && len(entry.FileContent) > maxFileBytes:
		return put, errFileContentSizeLimitExceeded.New("%q has %d bytes; the limit is %d.", put.path, len(entry.FileContent), maxFileBytes)
	case entry.SourceFile == nil:
		put.content = entry.FileContent
		return put, nil
	}
	put.move = entry.SourceFile.IsMove
	if put.source, err = path(entry.SourceFile.FilePath); err != nil {
		return put, err
	}
	if put.source[len(put.source)-1] == gitkeep {
		return put, errRestrictedSourceFile.New("%q cannot be a source file.", put.source)
	}
	return put, nil
}

func fileModeChangeOf(entry types.SetFileModeEntry) (fileModeChange, error) {
	p, err := path(entry.FilePath)
	if err != nil {
		return fileModeChange{}, err
	}
	if entry.FileMode == "" {
		return fileModeChange{}, errFileModeRequired.New("The file mode of %q is required.", p)
	}
	mode, err := fileMode(entry.FileMode)
	return fileModeChange{p, mode}, err
}

// clash refuses requests that change one path twice, or use one as file and folder.
func (c *fileChanges) clash() error {
	changed := map[string]bool{}
	twice := func(p filePath) error {
		if changed[p.String()] {
			return errSamePathRequest.New("%q is changed more than once.", p)
		}
		changed[p.String()] = true
		return nil
	}
	var errs []error
	for _, p := range c.puts {
		errs = append(errs, twice(p.path))
		if p.move {
			errs = append(errs, twice(p.source))
		}
	}
	for _, p := range c.deletes {
		errs = append(errs, twice(p))
	}
	for _, m := range c.modes {
		errs = append(errs, twice(m.path))
	}
	if err := firstError(errs...); err != nil {
		return err
	}
	for _, p := range c.puts {
		for _, other := range c.puts {
			for i := 1; i < len(p.path); i++ {
				if p.path[:i].String() == other.path.String() {
					return errPutFileEntryConflict.New("%q is used both as a file and as a folder.", other.path)
				}
			}
		}
	}
	return nil
}

// stage applies the changes: sources are read from the parent, then files go away,
// then they are written.
func (c *fileChanges) stage(ctx context.Context, e *stage) (string, error) {
	c.out = &api.CreateCommitOutput{
		FilesAdded:   []types.FileMetadata{},
		FilesDeleted: []types.FileMetadata{},
		FilesUpdated: []types.FileMetadata{},
	}
	sources := make([]object.TreeEntry, len(c.puts))
	for i, p := range c.puts {
		if p.source == nil {
			continue
		}
		var err error
		if sources[i], err = existingFile(ctx, e, p.source); err != nil {
			return "", err
		}
	}
	before, err := c.remove(ctx, e)
	if err != nil {
		return "", err
	}
	if err := c.write(ctx, e, sources); err != nil {
		return "", err
	}
	if c.keepFolders {
		if err := c.keep(ctx, e, before); err != nil {
			return "", err
		}
	}
	if len(c.out.FilesAdded)+len(c.out.FilesDeleted)+len(c.out.FilesUpdated) == 0 {
		return "", errNoChange.New("The commit would change nothing.")
	}
	return fmt.Sprintf("Changed %d files", len(c.puts)+len(c.deletes)+len(c.modes)), nil
}

// existingFile finds a file that the request takes for granted.
func existingFile(ctx context.Context, e *stage, p filePath) (object.TreeEntry, error) {
	entry, err := e.tree.find(ctx, p)
	switch {
	case errors.Is(err, errNoEntry), err == nil && entry.Mode == object.ModeTree:
		return entry, errFileDoesNotExist.New("The file %q does not exist.", p)
	case err == nil && entry.Mode == object.ModeSubmodule:
		return entry, errFilePathConflictsWithSubmodulePath.New("%q is a submodule.", p)
	}
	return entry, err
}

// remove takes away what is deleted or moved and returns those paths.
func (c *fileChanges) remove(ctx context.Context, e *stage) ([]filePath, error) {
	gone := append([]filePath{}, c.deletes...)
	for _, p := range c.puts {
		if p.move {
			gone = append(gone, p.source)
		}
	}
	for _, p := range gone {
		old, err := existingFile(ctx, e, p)
		if err != nil {
			return nil, err
		}
		if err := e.tree.remove(ctx, p); err != nil {
			return nil, err
		}
		c.out.FilesDeleted = append(c.out.FilesDeleted, fileMetadata(p, old.Mode, old.ID))
	}
	return gone, nil
}

// write writes the files and then changes modes.
func (c *fileChanges) write(ctx context.Context, e *stage, sources []object.TreeEntry) error {
	for i, p := range c.puts {
		id := sources[i].ID
		if p.source == nil {
			id = e.add(p.content)
		}
		if err := c.set(ctx, e, p.path, cmp.Or(p.mode, sources[i].Mode), id); err != nil {
			return err
		}
	}
	for _, m := range c.modes {
		old, err := existingFile(ctx, e, m.path)
		if err != nil {
			return err
		}
		if err := c.set(ctx, e, m.path, m.mode, old.ID); err != nil {
			return err
		}
	}
	return nil
}

// set puts one file and reports it as added or updated, or not at all when it was so
// already.
func (c *fileChanges) set(ctx context.Context, e *stage, p filePath, mode object.Mode, id oid.ID) error {
	was, now, err := e.set(ctx, p, mode, id)
	switch {
	case err != nil || was == now:
		return err
	case was.mode == 0:
		c.out.FilesAdded = append(c.out.FilesAdded, fileMetadata(p, now.mode, now.id))
	default:
		c.out.FilesUpdated = append(c.out.FilesUpdated, fileMetadata(p, now.mode, now.id))
	}
	return nil
}

// keep puts markers into the folders that the removals emptied.
func (c *fileChanges) keep(ctx context.Context, e *stage, gone []filePath) error {
	for _, p := range gone {
		marker, id, err := e.keep(ctx, p)
		if err != nil {
			return err
		}
		if marker != nil {
			c.out.FilesAdded = append(c.out.FilesAdded, fileMetadata(marker, object.ModeFile, id))
		}
	}
	return nil
}

func fileMetadata(p filePath, mode object.Mode, id oid.ID) types.FileMetadata {
	return types.FileMetadata{AbsolutePath: new(p.String()), BlobId: idText(id), FileMode: fileModeName(mode)}
}
