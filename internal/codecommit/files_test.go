package codecommit_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

// put is a PutFile on a branch of payments.
func put(branch, path, content string, parent oid.ID) api.PutFileInput {
	in := api.PutFileInput{
		RepositoryName: new("payments"), BranchName: &branch, FilePath: &path, FileContent: []byte(content),
		Name: new("Ada"), Email: new("ada@example.com"),
	}
	if !parent.IsZero() {
		in.ParentCommitId = new(parent.String())
	}
	return in
}

func TestPutFileIntoAnEmptyRepository(t *testing.T) {
	h := newHost(t)
	h.repository(t, "payments")
	refuse(t, h, "senior", h.GetFile(), api.GetFileInput{RepositoryName: new("payments"), FilePath: new("a")}, "CommitDoesNotExist")
	refuse(t, h, "senior", h.PutFile(), put("trunk", "a", "x", oid.ID{1}), "ParentCommitDoesNotExist")
	out := do(t, h, "senior", h.PutFile(), put("trunk", "/docs/a.md", "hello\n", oid.Zero))

	r, snap, err := h.Load(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	if r.Head != "refs/heads/trunk" || snap.Head != r.Head {
		t.Errorf("default branch %q, in the snapshot %q", r.Head, snap.Head)
	}
	file := do(t, h, "senior", h.GetFile(), api.GetFileInput{RepositoryName: new("payments"), FilePath: new("docs/a.md")})
	want := &api.GetFileOutput{
		BlobId: out.BlobId, CommitId: out.CommitId, FileContent: []byte("hello\n"),
		FileMode: types.FileModeTypeEnumNormal, FilePath: new("docs/a.md"), FileSize: 6,
	}
	if diff := cmp.Diff(want, file, ignoreMetadata); diff != "" {
		t.Error(diff)
	}
	commit := do(t, h, "senior", h.GetCommit(), api.GetCommitInput{RepositoryName: new("payments"), CommitId: out.CommitId}).Commit
	wantCommit := &types.Commit{
		CommitId: out.CommitId, TreeId: out.TreeId, Parents: []string{}, Message: new("Added docs/a.md"), AdditionalData: new(""),
		Author:    &types.UserInfo{Name: new("Ada"), Email: new("ada@example.com"), Date: new("1714564800 +0000")},
		Committer: &types.UserInfo{Name: new("Ada"), Email: new("ada@example.com"), Date: new("1714564800 +0000")},
	}
	if diff := cmp.Diff(wantCommit, commit, ignoreMetadata); diff != "" {
		t.Error(diff)
	}
}

func TestPutFileRefusals(t *testing.T) {
	h, git, first, second := payments(t)
	git.Git("tag", "light", first.String())
	h.pushed(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/tags/light", New: first})
	with := func(in api.PutFileInput, change func(in *api.PutFileInput)) api.PutFileInput {
		change(&in)
		return in
	}
	for _, tc := range []struct {
		name string
		in   api.PutFileInput
		code string
	}{
		{"no repository", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.RepositoryName = nil }), "RepositoryNameRequired"},
		{"unknown repository", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.RepositoryName = new("other") }), "RepositoryDoesNotExist"},
		{"no branch", put("", "a", "x", second), "BranchNameRequired"},
		{"bad branch", put("a..b", "a", "x", second), "InvalidBranchName"},
		{"unknown branch", put("other", "a", "x", second), "BranchDoesNotExist"},
		{"a tag's name", put("light", "a", "x", second), "BranchNameIsTagName"},
		{"no parent", put("next", "a", "x", oid.Zero), "ParentCommitIdRequired"},
		{"malformed parent", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.ParentCommitId = new("") }), "InvalidParentCommitId"},
		{"old parent", put("next", "a", "x", first), "ParentCommitIdOutdated"},
		{"unknown parent", put("next", "a", "x", oid.ID{1}), "ParentCommitDoesNotExist"},
		{"no content", put("next", "a", "", second), "FileContentRequired"},
		{"over 6 MB", put("next", "a", strings.Repeat("x", 6<<20+1), second), "FileContentSizeLimitExceeded"},
		{"no path", put("next", "", "x", second), "PathRequired"},
		{"Git's own folder", put("next", "a/.Git/hooks/x", "x", second), "InvalidPath"},
		{"mode", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.FileMode = "0777" }), "InvalidFileMode"},
		{"email", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.Email = new("a\nb") }), "InvalidEmail"},
		{"name", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.Name = new(strings.Repeat("x", 2000)) }), "NameLengthExceeded"},
		{"message", with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.CommitMessage = new(strings.Repeat("x", 300<<10)) }), "CommitMessageLengthExceeded"},
		{"the same", put("next", "README.md", "one\n", second), "SameFileContent"},
		{"a folder", put("next", "docs", "x", second), "FileNameConflictsWithDirectoryName"},
		{"below a file", put("next", "README.md/a", "x", second), "DirectoryNameConflictsWithFileName"},
		{"what fsck refuses", put("next", ".gitmodules", "[submodule \"x\"]\n\turl = -u./payload\n\tpath = x\n", second), "InvalidPath"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			refuse(t, h, "senior", h.PutFile(), tc.in, tc.code)
		})
	}
	if got := h.tip(t, "payments", "refs/heads/next"); got != second {
		t.Errorf("a refused commit moved the branch to %s", got)
	}
	refuse(t, h, "junior", h.PutFile(), put("master", "a", "x", first), "AccessDenied")
	refuse(t, h, "nobody", h.PutFile(), with(put("next", "a", "x", second), func(in *api.PutFileInput) { in.RepositoryName = new("other") }), "AccessDenied")
}

func TestPutFileKeepsTheMode(t *testing.T) {
	h, _, _, second := payments(t)
	in := put("next", "run.sh", "#!/bin/sh\n", second)
	in.FileMode = types.FileModeTypeEnumExecutable
	out := do(t, h, "junior", h.PutFile(), in)
	parent, err := oid.Parse(*out.CommitId)
	if err != nil {
		t.Fatal(err)
	}
	out = do(t, h, "junior", h.PutFile(), put("next", "run.sh", "#!/bin/bash\n", parent))
	file := do(t, h, "junior", h.GetFile(), api.GetFileInput{RepositoryName: new("payments"), FilePath: new("/run.sh"), CommitSpecifier: new("next")})
	if file.FileMode != types.FileModeTypeEnumExecutable || *file.CommitId != *out.CommitId {
		t.Errorf("got %s at %s", file.FileMode, *file.CommitId)
	}
}

func TestDeleteFile(t *testing.T) {
	h, _, _, second := payments(t)
	in := api.DeleteFileInput{
		RepositoryName: new("payments"), BranchName: new("next"), FilePath: new("docs/guide.md"),
		ParentCommitId: new(second.String()), KeepEmptyFolders: true,
	}
	without := in
	without.ParentCommitId = nil
	refuse(t, h, "senior", h.DeleteFile(), without, "ParentCommitIdRequired")
	missing := in
	missing.FilePath = new("docs")
	refuse(t, h, "senior", h.DeleteFile(), missing, "FileDoesNotExist")

	out := do(t, h, "junior", h.DeleteFile(), in)
	folder := do(t, h, "junior", h.GetFolder(), api.GetFolderInput{RepositoryName: new("payments"), FolderPath: new("docs"), CommitSpecifier: new("next")})
	if len(folder.Files) != 1 || *folder.Files[0].RelativePath != ".gitkeep" || *folder.CommitId != *out.CommitId {
		t.Errorf("the folder was not kept: %+v", folder.Files)
	}
	in.FilePath, in.ParentCommitId, in.KeepEmptyFolders = new("docs/.gitkeep"), out.CommitId, false
	do(t, h, "junior", h.DeleteFile(), in)
	refuse(t, h, "junior", h.GetFolder(), api.GetFolderInput{RepositoryName: new("payments"), FolderPath: new("docs"), CommitSpecifier: new("next")}, "FolderDoesNotExist")
	commit := do(t, h, "junior", h.GetCommit(), api.GetCommitInput{RepositoryName: new("payments"), CommitId: out.CommitId}).Commit
	if *commit.Author.Name != "arn:aws:iam::111122223333:user/junior" || *commit.Message != "Deleted docs/guide.md" {
		t.Errorf("author %q, message %q", *commit.Author.Name, *commit.Message)
	}
}

func TestCreateCommit(t *testing.T) {
	h, _, _, second := payments(t)
	out := do(t, h, "junior", h.CreateCommit(), api.CreateCommitInput{
		RepositoryName: new("payments"), BranchName: new("next"), ParentCommitId: new(second.String()),
		PutFiles: []types.PutFileEntry{
			{FilePath: new("new/empty"), FileContent: []byte{}},
			{FilePath: new("README.md"), FileContent: []byte("changed\n")},
			{FilePath: new("moved.md"), SourceFile: &types.SourceFileSpecifier{FilePath: new("docs/guide.md"), IsMove: true}},
			{FilePath: new("docs"), FileContent: []byte("a file now\n"), FileMode: types.FileModeTypeEnumExecutable},
		},
	})
	paths := func(files []types.FileMetadata) (all []string) {
		for _, f := range files {
			all = append(all, *f.AbsolutePath+" "+string(f.FileMode))
		}
		return all
	}
	for _, tc := range []struct {
		name string
		got  []types.FileMetadata
		want []string
	}{
		{"added", out.FilesAdded, []string{"new/empty NORMAL", "moved.md NORMAL", "docs EXECUTABLE"}},
		{"updated", out.FilesUpdated, []string{"README.md NORMAL"}},
		{"deleted", out.FilesDeleted, []string{"docs/guide.md NORMAL"}},
	} {
		if diff := cmp.Diff(tc.want, paths(tc.got)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	diff := do(t, h, "junior", h.GetDifferences(), api.GetDifferencesInput{
		RepositoryName: new("payments"), BeforeCommitSpecifier: new(second.String()), AfterCommitSpecifier: new("next"),
	})
	var lines []string
	for _, d := range diff.Differences {
		path := d.AfterBlob
		if path == nil {
			path = d.BeforeBlob
		}
		lines = append(lines, string(d.ChangeType)+" "+*path.Path+" "+*path.Mode)
	}
	want := []string{"M README.md 100644", "A docs 100755", "D docs/guide.md 100644", "A moved.md 100644", "A new/empty 100644"}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	compare := func(change func(in *api.GetDifferencesInput)) *api.GetDifferencesOutput {
		in := api.GetDifferencesInput{
			RepositoryName: new("payments"), BeforeCommitSpecifier: new(second.String()), AfterCommitSpecifier: new("next"), MaxResults: new(int32(2)),
		}
		change(&in)
		return do(t, h, "junior", h.GetDifferences(), in)
	}
	first := compare(func(*api.GetDifferencesInput) {})
	rest := compare(func(in *api.GetDifferencesInput) { in.NextToken, in.MaxResults = first.NextToken, nil })
	if len(first.Differences) != 2 || len(rest.Differences) != 3 || rest.NextToken != nil {
		t.Errorf("pages of %d and %d", len(first.Differences), len(rest.Differences))
	}
	for path, want := range map[string]int{"README.md": 1, "docs": 2, "new": 1, "moved.md": 1} {
		got := compare(func(in *api.GetDifferencesInput) { in.AfterPath = &path })
		if len(got.Differences) != want {
			t.Errorf("%s: %d differences, want %d", path, len(got.Differences), want)
		}
	}
	refuse(t, h, "junior", h.GetDifferences(), api.GetDifferencesInput{
		RepositoryName: new("payments"), AfterCommitSpecifier: new("next"), AfterPath: new("nothing"),
	}, "PathDoesNotExist")
}

// A repository may lose its last file: the commit then has the empty tree.
func TestDeleteTheLastFile(t *testing.T) {
	h := newHost(t)
	h.repository(t, "payments")
	out := do(t, h, "senior", h.PutFile(), put("main", "a/b", "x", oid.Zero))
	gone := do(t, h, "senior", h.DeleteFile(), api.DeleteFileInput{
		RepositoryName: new("payments"), BranchName: new("main"), FilePath: new("a/b"), ParentCommitId: out.CommitId, KeepEmptyFolders: false,
	})
	if *gone.TreeId != "4b825dc642cb6eb9a060e54bf8d69288fbee4904" || *gone.BlobId != *out.BlobId {
		t.Errorf("tree %s, blob %s", *gone.TreeId, *gone.BlobId)
	}
	folder := do(t, h, "senior", h.GetFolder(), api.GetFolderInput{RepositoryName: new("payments"), FolderPath: new("")})
	if len(folder.Files)+len(folder.SubFolders) != 0 {
		t.Errorf("the root has %d entries", len(folder.Files)+len(folder.SubFolders))
	}
}

func TestCreateCommitRefusals(t *testing.T) {
	h, _, _, second := payments(t)
	content := func(path string) types.PutFileEntry {
		return types.PutFileEntry{FilePath: &path, FileContent: []byte("x")}
	}
	source := func(path, from string) types.PutFileEntry {
		return types.PutFileEntry{FilePath: &path, SourceFile: &types.SourceFileSpecifier{FilePath: &from}}
	}
	both := source("a", "README.md")
	both.FileContent = []byte("x")
	many := make([]types.PutFileEntry, 101)
	for _, tc := range []struct {
		name string
		in   api.CreateCommitInput
		code string
	}{
		{"nothing", api.CreateCommitInput{}, "FileEntryRequired"},
		{"too much", api.CreateCommitInput{PutFiles: many}, "MaximumFileEntriesExceeded"},
		{"neither", api.CreateCommitInput{PutFiles: []types.PutFileEntry{{FilePath: new("a")}}}, "SourceFileOrContentRequired"},
		{"both", api.CreateCommitInput{PutFiles: []types.PutFileEntry{both}}, "FileContentAndSourceFileSpecified"},
		{"a path twice", api.CreateCommitInput{PutFiles: []types.PutFileEntry{content("a")}, DeleteFiles: []types.DeleteFileEntry{{FilePath: new("/a")}}}, "SamePathRequest"},
		{"file and folder", api.CreateCommitInput{PutFiles: []types.PutFileEntry{content("a"), content("a/b")}}, "PutFileEntryConflict"},
		{"unknown source", api.CreateCommitInput{PutFiles: []types.PutFileEntry{source("a", "nothing")}}, "FileDoesNotExist"},
		{"a marker as source", api.CreateCommitInput{PutFiles: []types.PutFileEntry{source("a", "docs/.gitkeep")}}, "RestrictedSourceFile"},
		{"unknown file to delete", api.CreateCommitInput{DeleteFiles: []types.DeleteFileEntry{{FilePath: new("nothing")}}}, "FileDoesNotExist"},
		{"no mode", api.CreateCommitInput{SetFileModes: []types.SetFileModeEntry{{FilePath: new("README.md")}}}, "FileModeRequired"},
		{"no change", api.CreateCommitInput{SetFileModes: []types.SetFileModeEntry{{FilePath: new("README.md"), FileMode: "NORMAL"}}}, "NoChange"},
		{"keep nothing", api.CreateCommitInput{PutFiles: []types.PutFileEntry{content("a")}, KeepEmptyFolders: true}, "InvalidDeletionParameter"},
		{"over 7 MB", api.CreateCommitInput{PutFiles: []types.PutFileEntry{
			{FilePath: new("a"), FileContent: bytes.Repeat([]byte("x"), 4<<20)}, {FilePath: new("b"), FileContent: bytes.Repeat([]byte("x"), 4<<20)},
		}}, "FileContentSizeLimitExceeded"},
		{"Git's own folder", api.CreateCommitInput{PutFiles: []types.PutFileEntry{content(".git/config")}}, "InvalidPath"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.RepositoryName, tc.in.BranchName, tc.in.ParentCommitId = new("payments"), new("next"), new(second.String())
			refuse(t, h, "senior", h.CreateCommit(), tc.in, tc.code)
		})
	}
}

func TestReadingFiles(t *testing.T) {
	h, git, first, _ := payments(t)
	git.Write("large", strings.Repeat("x", 6<<20+1))
	git.Git("update-index", "--add", "--cacheinfo", "160000,"+first.String()+",module")
	git.Git("update-index", "--add", "--cacheinfo", "120000,"+git.Git("hash-object", "-w", "README.md")+",link")
	git.Git("add", "large")
	git.Git("commit", "--quiet", "--message=odd")
	odd := git.ID("HEAD")
	git.Git("tag", "--annotate", "--message=odd", "odd")
	h.pushed(t, "senior", "payments", git,
		codecommit.RefCommand{Ref: "refs/heads/odd", New: odd},
		codecommit.RefCommand{Ref: "refs/tags/v-odd", New: git.ID("refs/tags/odd")})

	folder := do(t, h, "junior", h.GetFolder(), api.GetFolderInput{RepositoryName: new("payments"), FolderPath: new("/"), CommitSpecifier: new("v-odd")})
	names := map[string]string{}
	for _, f := range folder.Files {
		names[*f.RelativePath] = "file"
	}
	for _, f := range folder.SubFolders {
		names[*f.RelativePath] = "folder"
	}
	for _, f := range folder.SubModules {
		names[*f.RelativePath] = "module " + *f.CommitId
	}
	for _, f := range folder.SymbolicLinks {
		names[*f.RelativePath] = "link"
	}
	want := map[string]string{"README.md": "file", "large": "file", "docs": "folder", "module": "module " + first.String(), "link": "link"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	file := func(path, spec string) api.GetFileInput {
		return api.GetFileInput{RepositoryName: new("payments"), FilePath: &path, CommitSpecifier: &spec}
	}
	if got := do(t, h, "junior", h.GetFile(), file("link", "odd")); got.FileMode != types.FileModeTypeEnumSymlink {
		t.Errorf("a link has the mode %s", got.FileMode)
	}
	refuse(t, h, "junior", h.GetFile(), file("large", "odd"), "FileTooLarge")
	refuse(t, h, "junior", h.GetFile(), file("module", "odd"), "FileDoesNotExist")
	refuse(t, h, "junior", h.GetFile(), file("docs", "odd"), "FileDoesNotExist")
	refuse(t, h, "junior", h.GetFile(), file("large", "master"), "FileDoesNotExist")
	refuse(t, h, "junior", h.GetFile(), file("large", "nothing"), "CommitDoesNotExist")
	refuse(t, h, "junior", h.GetFile(), file("large", "a b"), "InvalidCommit")
	refuse(t, h, "nobody", h.GetFile(), file("large", "odd"), "AccessDenied")

	blob := func(id string) api.GetBlobInput {
		return api.GetBlobInput{RepositoryName: new("payments"), BlobId: &id}
	}
	if got := do(t, h, "junior", h.GetBlob(), blob(git.Git("rev-parse", "HEAD:README.md"))); string(got.Content) != "one\n" {
		t.Errorf("got %q", got.Content)
	}
	refuse(t, h, "junior", h.GetBlob(), blob(""), "BlobIdRequired")
	refuse(t, h, "junior", h.GetBlob(), blob("xyz"), "InvalidBlobId")
	refuse(t, h, "junior", h.GetBlob(), blob(first.String()), "BlobIdDoesNotExist")
	refuse(t, h, "junior", h.GetBlob(), blob(git.Git("rev-parse", "HEAD:large")), "FileTooLarge")

	batch := do(t, h, "junior", h.BatchGetCommits(), api.BatchGetCommitsInput{
		RepositoryName: new("payments"), CommitIds: []string{first.String(), "abc", oid.ID{1}.String(), *folder.TreeId},
	})
	var codes []string
	for _, e := range batch.Errors {
		codes = append(codes, *e.ErrorCode)
	}
	wantCodes := []string{"InvalidCommitIdException", "CommitIdDoesNotExistException", "CommitIdDoesNotExistException"}
	if diff := cmp.Diff(wantCodes, codes); diff != "" || len(batch.Commits) != 1 {
		t.Errorf("%d commits, errors %s", len(batch.Commits), diff)
	}
	refuse(t, h, "junior", h.GetCommit(), api.GetCommitInput{RepositoryName: new("payments"), CommitId: new(oid.ID{1}.String())}, "CommitIdDoesNotExist")
}

func TestBranches(t *testing.T) {
	h, git, first, second := payments(t)
	create := func(name, id string) api.CreateBranchInput {
		return api.CreateBranchInput{RepositoryName: new("payments"), BranchName: &name, CommitId: &id}
	}
	do(t, h, "junior", h.CreateBranch(), create("feature/a", first.String()))
	refuse(t, h, "junior", h.CreateBranch(), create("feature/a", first.String()), "BranchNameExists")
	refuse(t, h, "junior", h.CreateBranch(), create("feature", first.String()), "InvalidBranchName")
	refuse(t, h, "junior", h.CreateBranch(), create("feature/a/b", first.String()), "InvalidBranchName")
	refuse(t, h, "junior", h.CreateBranch(), create("x", oid.ID{1}.String()), "CommitDoesNotExist")
	refuse(t, h, "junior", h.CreateBranch(), create("x", git.Git("rev-parse", "HEAD:docs")), "CommitDoesNotExist")
	refuse(t, h, "junior", h.CreateBranch(), create("x", "abc"), "InvalidCommitId")
	refuse(t, h, "junior", h.CreateBranch(), create("x", ""), "CommitIdRequired")
	refuse(t, h, "junior", h.CreateBranch(), create(first.String(), first.String()), "InvalidBranchName")

	get := func(name string) api.GetBranchInput {
		return api.GetBranchInput{RepositoryName: new("payments"), BranchName: &name}
	}
	if got := do(t, h, "junior", h.GetBranch(), get("feature/a")).Branch; *got.BranchName != "feature/a" || *got.CommitId != first.String() {
		t.Errorf("got %s at %s", *got.BranchName, *got.CommitId)
	}
	refuse(t, h, "junior", h.GetBranch(), get("feature"), "BranchDoesNotExist")
	refuse(t, h, "junior", h.GetBranch(), api.GetBranchInput{RepositoryName: new("payments")}, "BranchNameRequired")
	list := do(t, h, "junior", h.ListBranches(), api.ListBranchesInput{RepositoryName: new("payments")})
	if diff := cmp.Diff([]string{"feature/a", "master", "next"}, list.Branches); diff != "" {
		t.Error(diff)
	}

	head := func(name string) api.UpdateDefaultBranchInput {
		return api.UpdateDefaultBranchInput{RepositoryName: new("payments"), DefaultBranchName: &name}
	}
	remove := func(name string) api.DeleteBranchInput {
		return api.DeleteBranchInput{RepositoryName: new("payments"), BranchName: &name}
	}
	refuse(t, h, "senior", h.DeleteBranch(), remove("master"), "DefaultBranchCannotBeDeleted")
	refuse(t, h, "senior", h.UpdateDefaultBranch(), head("nothing"), "BranchDoesNotExist")
	do(t, h, "senior", h.UpdateDefaultBranch(), head("next"))
	do(t, h, "senior", h.UpdateDefaultBranch(), head("next"))
	if _, snap, err := h.Load(t.Context(), "payments"); err != nil || snap.Head != "refs/heads/next" {
		t.Errorf("default branch %q, %v", snap.Head, err)
	}
	refuse(t, h, "junior", h.DeleteBranch(), remove("master"), "AccessDenied")
	refuse(t, h, "senior", h.DeleteBranch(), remove("next"), "DefaultBranchCannotBeDeleted")
	out := do(t, h, "senior", h.DeleteBranch(), remove("master"))
	if *out.DeletedBranch.BranchName != "master" || *out.DeletedBranch.CommitId != first.String() {
		t.Errorf("deleted %+v", out.DeletedBranch)
	}
	if out := do(t, h, "senior", h.DeleteBranch(), remove("master")); out.DeletedBranch != nil {
		t.Error("a branch that is not there was deleted")
	}
	if got := h.tip(t, "payments", "refs/heads/next"); got != second {
		t.Errorf("next is at %s", got)
	}
}

func TestListBranchesPages(t *testing.T) {
	h := newHost(t)
	h.repository(t, "payments")
	git := gittestCommit(t)
	head := git.ID("HEAD")
	const branches = 1500
	var commands []codecommit.RefCommand
	for i := range branches {
		commands = append(commands, codecommit.RefCommand{Ref: refname.Branch(fmt.Sprintf("b%d/%04d", i%7, i)), New: head})
	}
	h.pushed(t, "senior", "payments", git, commands...)
	seen := map[string]bool{}
	in := api.ListBranchesInput{RepositoryName: new("payments")}
	pages := 0
	for {
		out := do(t, h, "junior", h.ListBranches(), in)
		for _, name := range out.Branches {
			if seen[name] {
				t.Fatalf("%s is listed twice", name)
			}
			seen[name] = true
		}
		pages++
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(seen) != branches || pages != 2 {
		t.Errorf("%d branches in %d pages", len(seen), pages)
	}
	refuse(t, h, "junior", h.ListBranches(), api.ListBranchesInput{RepositoryName: new("payments"), NextToken: new("forged")}, "InvalidContinuationToken")
}
