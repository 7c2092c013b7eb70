package codecommit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// A commitRequest is what PutFile, DeleteFile and CreateCommit have in common.
type commitRequest struct {
	by         op.Spec
	repository string
	branch     refname.Name
	parent     oid.ID // zero: none was given
	author     object.Signature
	message    string

	// edit stages the change. Its message is the default one.
	edit func(ctx context.Context, e *stage) (message string, err error)
}

// stage is a commit that is being made.
type stage struct {
	tree  *treeEdit
	blobs []object.Raw
}

// add stages content and returns its ID.
func (e *stage) add(content []byte) oid.ID {
	raw := object.Raw{Type: object.Blob, Content: content}
	e.blobs = append(e.blobs, raw)
	return raw.ID()
}

// set puts a file. Without a mode it keeps the mode of the file that is there, and a new
// one is NORMAL. It returns what the path named before, which has no mode where there was
// no file, and what it names now; nothing was put where the two are the same.
func (e *stage) set(ctx context.Context, p filePath, mode object.Mode, id oid.ID) (was, now fileEntry, err error) {
	old, err := e.tree.find(ctx, p)
	switch {
	case err == nil && old.Mode != object.ModeTree:
		was = fileEntry{old.Mode, old.ID}
	case err != nil && !errors.Is(err, errNoEntry):
		return was, now, err
	}
	if now = (fileEntry{mode, id}); mode == 0 {
		now.mode = cmp.Or(was.mode, object.ModeFile)
	}
	if was == now {
		return was, now, nil
	}
	return was, now, e.tree.put(ctx, p, now.mode, now.id)
}

// fileEntry is what a tree says of a file.
type fileEntry struct {
	mode object.Mode
	id   oid.ID
}

// keep puts a .gitkeep into the folder of p when the folder would vanish.
func (e *stage) keep(ctx context.Context, p filePath) (filePath, oid.ID, error) {
	parent, vanished, err := e.tree.vanished(ctx, p)
	if err != nil || !vanished {
		return nil, oid.Zero, err
	}
	marker := append(append(filePath{}, parent...), gitkeep)
	id := e.add(nil)
	return marker, id, e.tree.put(ctx, marker, object.ModeFile, id)
}

// gitkeep is the file that keeps a folder when its last file is deleted.
const gitkeep = ".gitkeep"

// author validates the author of a commit, who is also its committer. The default
// name is the caller's ARN; what would break the line of a commit is dropped, as Git
// does.
func author(name, email *string) (object.Signature, error) {
	if len(textOf(name)) > maxNameBytes {
		return object.Signature{}, errNameLengthExceeded.New("The name is longer than %d bytes.", maxNameBytes)
	}
	if e := textOf(email); len(e) > maxEmailBytes || strings.ContainsAny(e, "<> \t\r\n\x00") {
		return object.Signature{}, errInvalidEmail.New("The email address is longer than %d bytes or holds characters that are not allowed.", maxEmailBytes)
	}
	return object.Signature{Name: signatureName(textOf(name)), Email: textOf(email)}, nil
}

func signatureName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == '<' || r == '>' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	return strings.TrimSpace(clean)
}

// commitMessage validates the message of a commit.
func commitMessage(text *string) (string, error) {
	if len(textOf(text)) > maxMessageBytes {
		return "", errCommitMessageLengthExceeded.New("The commit message is longer than %d bytes.", maxMessageBytes)
	}
	return strings.ReplaceAll(textOf(text), "\x00", ""), nil // a commit object holds no NUL
}

// parentCommitID validates the optimistic lock of a commit; zero where it is absent.
func parentCommitID(text *string) (oid.ID, error) {
	if text == nil {
		return oid.Zero, nil
	}
	id, err := objectID(*text)
	if err != nil || id.IsZero() {
		return oid.Zero, errInvalidParentCommitID.New("The parent commit ID %q is not valid: it has 40 hexadecimal digits.", *text)
	}
	return id, nil
}

// written is a commit that was made.
type written struct{ commit, tree oid.ID }

// writeCommit makes a commit on a branch, beginning again while the branch moves.
func (s *Service) writeCommit(ctx context.Context, g authz.Grant, q commitRequest) (written, error) {
	var done written
	err := retry(func() error {
		var err error
		done, err = s.tryCommit(ctx, g, q)
		return err
	})
	return done, err
}

func (s *Service) tryCommit(ctx context.Context, g authz.Grant, q commitRequest) (written, error) {
	r, snap, objects, err := s.open(ctx, q.repository)
	if err != nil {
		return written{}, err
	}
	defer func() { _ = objects.Close() }()
	parent, err := q.parentIn(ctx, snap, objects)
	if err != nil {
		return written{}, err
	}
	raws, done, err := s.stageCommit(ctx, g, q, parent, objects)
	if err != nil {
		return written{}, err
	}
	in, err := s.Repos.Build(ctx, snap, raws, []oid.ID{done.commit})
	if errors.Is(err, repo.ErrBadPack) {
		return written{}, errInvalidPath.Wrap(err, "Git refuses what the commit would hold: %v", err)
	}
	if err != nil {
		return written{}, fmt.Errorf("build a commit: %w", err)
	}
	c := refChange{by: q.by, repository: r, moves: []RefMove{{Ref: q.branch, New: done.commit}}}
	if parent != nil {
		c.moves[0].Old = parent.ID
	}
	return done, s.publish(ctx, g, in, c)
}

// parentIn finds the commit that the new one follows; nil in an empty repository.
func (q commitRequest) parentIn(ctx context.Context, snap *repo.Snapshot, objects *repo.Objects) (*object.CommitObject, error) {
	ref, ok := snap.Ref(q.branch)
	switch {
	case ok && q.parent.IsZero():
		return nil, errParentCommitIDRequired.New("A parent commit ID is required: %s is at %s.", q.branch.Short(), ref.OID)
	case ok && q.parent == ref.OID:
		return objects.Commit(ctx, ref.OID)
	case ok:
		unknown := errParentCommitDoesNotExist.New("The parent commit %s does not exist.", q.parent)
		if _, err := knownCommit(ctx, objects, q.parent, unknown); err != nil {
			return nil, err
		}
		return nil, errParentCommitIDOutdated.New("The parent commit is %s, but %s is at %s.", q.parent, q.branch.Short(), ref.OID)
	}
	if _, isTag := snap.Ref(refname.Name(refname.TagsPrefix + q.branch.Short())); isTag {
		return nil, errBranchNameIsTagName.New("%q is the name of a tag, not of a branch.", q.branch.Short())
	}
	if len(branchesAfter(snap, "")) > 0 {
		return nil, errBranchDoesNotExist.New("%s does not exist", q.branch)
	}
	if !q.parent.IsZero() {
		return nil, errParentCommitDoesNotExist.New("The parent commit %s does not exist: the repository is empty.", q.parent)
	}
	return nil, nil
}

// stageCommit lets the request edit the parent's tree and makes the objects of the
// new commit.
func (s *Service) stageCommit(ctx context.Context, g authz.Grant, q commitRequest, parent *object.CommitObject, objects *repo.Objects) ([]object.Raw, written, error) {
	commit := object.CommitObject{Author: q.author, Message: q.message}
	was := oid.Zero
	if parent != nil {
		was, commit.Parents = parent.Tree, []oid.ID{parent.ID}
	}
	tree, err := editTree(ctx, objects.Tree, was)
	if err != nil {
		return nil, written{}, err
	}
	e := &stage{tree: tree}
	message, err := q.edit(ctx, e)
	if err != nil {
		return nil, written{}, err
	}
	root, trees, err := e.tree.write()
	if err != nil {
		return nil, written{}, err
	}
	if commit.Message == "" {
		commit.Message = message
	}
	if commit.Author.Name == "" {
		commit.Author.Name = g.Caller().Principal.ARN.String()
	}
	commit.Author.Date = fmt.Sprintf("%d +0000", s.Now().Unix())
	commit.Tree, commit.Committer = root, commit.Author
	raw := object.Raw{Type: object.Commit, Content: commit.Encode()}
	raws := append(append(e.blobs, trees...), raw)
	return raws, written{commit: raw.ID(), tree: root}, nil
}

// publish makes the objects of an operation durable and then moves the refs to them:
// never the other way round.
func (s *Service) publish(ctx context.Context, g authz.Grant, in *repo.Incoming, c refChange) error {
	defer in.Discard()
	p, ok, err := in.Publish(ctx)
	if err != nil {
		return err
	}
	c.incoming = in
	if ok {
		c.pack = &p
	}
	err = s.commit(ctx, g, c)
	settle(ctx, in, err)
	return err
}

// settle tells the objects what became of their transaction, where it is known. It
// goes on when the client is gone.
func settle(ctx context.Context, in *repo.Incoming, err error) {
	switch {
	case err == nil:
		in.Committed(context.WithoutCancel(ctx))
	case notCommitted(err):
		in.Abandon()
	}
}

// notCommitted reports whether an error of commit leaves no doubt that nothing was
// committed: it was our own decision, not a failure of the store. The blob of a pack
// whose transaction may have been committed must stay.
func notCommitted(err error) bool {
	_, lost := errors.AsType[lostMoves](err)
	return lost || errors.Is(err, errOutdated) || errors.Is(err, errLate) || errors.Is(err, errNotGranted) || isFault(err)
}
