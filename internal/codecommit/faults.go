package codecommit

import (
	"errors"

	"github.com/refward/refward/internal/fault"
)

// Every code that the domain answers with, spelled as the API spells it (API
// reference, Errors). The JSON protocol renders all of them with status 400.

// Repositories.
var (
	errRepositoryNameRequired         = fault.Code{Name: "RepositoryNameRequiredException", Kind: fault.Invalid}
	errInvalidRepositoryName          = fault.Code{Name: "InvalidRepositoryNameException", Kind: fault.Invalid}
	errRepositoryDoesNotExist         = fault.Code{Name: "RepositoryDoesNotExistException", Kind: fault.NotFound}
	errInvalidContinuationToken       = fault.Code{Name: "InvalidContinuationTokenException", Kind: fault.Invalid}
	errRepositoryNameExists           = fault.Code{Name: "RepositoryNameExistsException", Kind: fault.Conflict}
	errRepositoryLimitExceeded        = fault.Code{Name: "RepositoryLimitExceededException", Kind: fault.Limit}
	errInvalidRepositoryDescription   = fault.Code{Name: "InvalidRepositoryDescriptionException", Kind: fault.Invalid}
	errEncryptionKeyInvalidID         = fault.Code{Name: "EncryptionKeyInvalidIdException", Kind: fault.Invalid}
	errInvalidTagsMap                 = fault.Code{Name: "InvalidTagsMapException", Kind: fault.Invalid}
	errRepositoryNamesRequired        = fault.Code{Name: "RepositoryNamesRequiredException", Kind: fault.Invalid}
	errMaximumRepositoryNamesExceeded = fault.Code{Name: "MaximumRepositoryNamesExceededException", Kind: fault.Limit}
	errInvalidSortBy                  = fault.Code{Name: "InvalidSortByException", Kind: fault.Invalid}
	errInvalidOrder                   = fault.Code{Name: "InvalidOrderException", Kind: fault.Invalid}
)

// Branches and commits.
var (
	errBranchNameRequired           = fault.Code{Name: "BranchNameRequiredException", Kind: fault.Invalid}
	errInvalidBranchName            = fault.Code{Name: "InvalidBranchNameException", Kind: fault.Invalid}
	errBranchDoesNotExist           = fault.Code{Name: "BranchDoesNotExistException", Kind: fault.NotFound}
	errBranchNameExists             = fault.Code{Name: "BranchNameExistsException", Kind: fault.Conflict}
	errBranchNameIsTagName          = fault.Code{Name: "BranchNameIsTagNameException", Kind: fault.Conflict}
	errDefaultBranchCannotBeDeleted = fault.Code{Name: "DefaultBranchCannotBeDeletedException", Kind: fault.Conflict}
	errCommitIDRequired             = fault.Code{Name: "CommitIdRequiredException", Kind: fault.Invalid}
	errInvalidCommitID              = fault.Code{Name: "InvalidCommitIdException", Kind: fault.Invalid}
	errCommitIDDoesNotExist         = fault.Code{Name: "CommitIdDoesNotExistException", Kind: fault.NotFound}
	errCommitIDsListRequired        = fault.Code{Name: "CommitIdsListRequiredException", Kind: fault.Invalid}
	errCommitIDsLimitExceeded       = fault.Code{Name: "CommitIdsLimitExceededException", Kind: fault.Limit}
	errCommitRequired               = fault.Code{Name: "CommitRequiredException", Kind: fault.Invalid}
	errInvalidCommit                = fault.Code{Name: "InvalidCommitException", Kind: fault.Invalid}
	errCommitDoesNotExist           = fault.Code{Name: "CommitDoesNotExistException", Kind: fault.NotFound}
)

// Files.
var (
	errPathRequired                       = fault.Code{Name: "PathRequiredException", Kind: fault.Invalid}
	errInvalidPath                        = fault.Code{Name: "InvalidPathException", Kind: fault.Invalid}
	errPathDoesNotExist                   = fault.Code{Name: "PathDoesNotExistException", Kind: fault.NotFound}
	errFileDoesNotExist                   = fault.Code{Name: "FileDoesNotExistException", Kind: fault.NotFound}
	errFolderDoesNotExist                 = fault.Code{Name: "FolderDoesNotExistException", Kind: fault.NotFound}
	errFileTooLarge                       = fault.Code{Name: "FileTooLargeException", Kind: fault.Limit}
	errBlobIDRequired                     = fault.Code{Name: "BlobIdRequiredException", Kind: fault.Invalid}
	errInvalidBlobID                      = fault.Code{Name: "InvalidBlobIdException", Kind: fault.Invalid}
	errBlobIDDoesNotExist                 = fault.Code{Name: "BlobIdDoesNotExistException", Kind: fault.NotFound}
	errFileContentRequired                = fault.Code{Name: "FileContentRequiredException", Kind: fault.Invalid}
	errFileContentSizeLimitExceeded       = fault.Code{Name: "FileContentSizeLimitExceededException", Kind: fault.Limit}
	errFolderContentSizeLimitExceeded     = fault.Code{Name: "FolderContentSizeLimitExceededException", Kind: fault.Limit}
	errFileModeRequired                   = fault.Code{Name: "FileModeRequiredException", Kind: fault.Invalid}
	errInvalidFileMode                    = fault.Code{Name: "InvalidFileModeException", Kind: fault.Invalid}
	errInvalidDeletionParameter           = fault.Code{Name: "InvalidDeletionParameterException", Kind: fault.Invalid}
	errSameFileContent                    = fault.Code{Name: "SameFileContentException", Kind: fault.Conflict}
	errFileNameConflictsWithDirectoryName = fault.Code{Name: "FileNameConflictsWithDirectoryNameException", Kind: fault.Conflict}
	errDirectoryNameConflictsWithFileName = fault.Code{Name: "DirectoryNameConflictsWithFileNameException", Kind: fault.Conflict}
	errFilePathConflictsWithSubmodulePath = fault.Code{Name: "FilePathConflictsWithSubmodulePathException", Kind: fault.Conflict}
)

// Commits made through the API.
var (
	errParentCommitIDRequired      = fault.Code{Name: "ParentCommitIdRequiredException", Kind: fault.Invalid}
	errInvalidParentCommitID       = fault.Code{Name: "InvalidParentCommitIdException", Kind: fault.Invalid}
	errParentCommitDoesNotExist    = fault.Code{Name: "ParentCommitDoesNotExistException", Kind: fault.NotFound}
	errParentCommitIDOutdated      = fault.Code{Name: "ParentCommitIdOutdatedException", Kind: fault.Conflict}
	errNameLengthExceeded          = fault.Code{Name: "NameLengthExceededException", Kind: fault.Limit}
	errInvalidEmail                = fault.Code{Name: "InvalidEmailException", Kind: fault.Invalid}
	errCommitMessageLengthExceeded = fault.Code{Name: "CommitMessageLengthExceededException", Kind: fault.Limit}
	errFileEntryRequired           = fault.Code{Name: "FileEntryRequiredException", Kind: fault.Invalid}
	errMaximumFileEntriesExceeded  = fault.Code{Name: "MaximumFileEntriesExceededException", Kind: fault.Limit}
	errPutFileEntryConflict        = fault.Code{Name: "PutFileEntryConflictException", Kind: fault.Invalid}
	errSourceFileOrContentRequired = fault.Code{Name: "SourceFileOrContentRequiredException", Kind: fault.Invalid}
	errFileContentAndSourceFile    = fault.Code{Name: "FileContentAndSourceFileSpecifiedException", Kind: fault.Invalid}
	errSamePathRequest             = fault.Code{Name: "SamePathRequestException", Kind: fault.Invalid}
	errRestrictedSourceFile        = fault.Code{Name: "RestrictedSourceFileException", Kind: fault.Invalid}
	errNoChange                    = fault.Code{Name: "NoChangeException", Kind: fault.Conflict}
)

// Pull requests and merges.
var (
	errPullRequestIDRequired             = fault.Code{Name: "PullRequestIdRequiredException", Kind: fault.Invalid}
	errInvalidPullRequestID              = fault.Code{Name: "InvalidPullRequestIdException", Kind: fault.Invalid}
	errPullRequestDoesNotExist           = fault.Code{Name: "PullRequestDoesNotExistException", Kind: fault.NotFound}
	errPullRequestAlreadyClosed          = fault.Code{Name: "PullRequestAlreadyClosedException", Kind: fault.Conflict}
	errPullRequestStatusRequired         = fault.Code{Name: "PullRequestStatusRequiredException", Kind: fault.Invalid}
	errInvalidPullRequestStatus          = fault.Code{Name: "InvalidPullRequestStatusException", Kind: fault.Invalid}
	errInvalidPullRequestStatusUpdate    = fault.Code{Name: "InvalidPullRequestStatusUpdateException", Kind: fault.Conflict}
	errInvalidPullRequestEventType       = fault.Code{Name: "InvalidPullRequestEventTypeException", Kind: fault.Invalid}
	errInvalidActorARN                   = fault.Code{Name: "InvalidActorArnException", Kind: fault.Invalid}
	errInvalidAuthorARN                  = fault.Code{Name: "InvalidAuthorArnException", Kind: fault.Invalid}
	errInvalidMaxResults                 = fault.Code{Name: "InvalidMaxResultsException", Kind: fault.Invalid}
	errTitleRequired                     = fault.Code{Name: "TitleRequiredException", Kind: fault.Invalid}
	errInvalidTitle                      = fault.Code{Name: "InvalidTitleException", Kind: fault.Invalid}
	errInvalidDescription                = fault.Code{Name: "InvalidDescriptionException", Kind: fault.Invalid}
	errInvalidClientRequestToken         = fault.Code{Name: "InvalidClientRequestTokenException", Kind: fault.Invalid}
	errIdempotencyParameterMismatch      = fault.Code{Name: "IdempotencyParameterMismatchException", Kind: fault.Conflict}
	errTargetsRequired                   = fault.Code{Name: "TargetsRequiredException", Kind: fault.Invalid}
	errInvalidTargets                    = fault.Code{Name: "InvalidTargetsException", Kind: fault.Invalid}
	errMultipleRepositoriesInPullRequest = fault.Code{Name: "MultipleRepositoriesInPullRequestException", Kind: fault.Invalid}
	errReferenceNameRequired             = fault.Code{Name: "ReferenceNameRequiredException", Kind: fault.Invalid}
	errInvalidReferenceName              = fault.Code{Name: "InvalidReferenceNameException", Kind: fault.Invalid}
	errReferenceDoesNotExist             = fault.Code{Name: "ReferenceDoesNotExistException", Kind: fault.NotFound}
	errReferenceTypeNotSupported         = fault.Code{Name: "ReferenceTypeNotSupportedException", Kind: fault.Invalid}
	errSourceAndDestinationAreSame       = fault.Code{Name: "SourceAndDestinationAreSameException", Kind: fault.Invalid}
	errMaximumOpenPullRequestsExceeded   = fault.Code{Name: "MaximumOpenPullRequestsExceededException", Kind: fault.Limit}
	errRepositoryNotAssociatedWithPR     = fault.Code{Name: "RepositoryNotAssociatedWithPullRequestException", Kind: fault.Invalid}
	errTipOfSourceReferenceIsDifferent   = fault.Code{Name: "TipOfSourceReferenceIsDifferentException", Kind: fault.Conflict}
	errManualMergeRequired               = fault.Code{Name: "ManualMergeRequiredException", Kind: fault.Conflict}
	errConcurrentReferenceUpdate         = fault.Code{Name: "ConcurrentReferenceUpdateException", Kind: fault.Conflict}
	errInvalidTargetBranch               = fault.Code{Name: "InvalidTargetBranchException", Kind: fault.Invalid}
)

// errTooManyCommands is Git's own: CodeCommit documents the sentence alone.
var errTooManyCommands = fault.Code{Name: "TooManyReferenceUpdateCommands", Kind: fault.Limit}

// missing turns the store's [ErrNotFound] into the fault; other errors stay.
func missing(err error, f *fault.Fault) error {
	if errors.Is(err, ErrNotFound) {
		return f
	}
	return err
}

// isFault reports whether an error is a refusal for the caller.
func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Fault](err)
	return ok
}
