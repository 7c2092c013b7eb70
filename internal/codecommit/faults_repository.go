package codecommit

import "github.com/refward/refward/internal/fault"

// The codes of operations on whole repositories.
var (
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
