package fault

// Codes that every AWS service shares. Their names are those of the query
// protocol; the awsJson1.1 front door renders its own spelling of them
// (AccessDenied becomes AccessDeniedException, and so on).
// Source: the common errors pages of the IAM and CodeCommit API references.
var (
	AccessDenied               = Code{"AccessDenied", Denied}
	MissingAuthenticationToken = Code{"MissingAuthenticationToken", Unauthenticated}
	IncompleteSignature        = Code{"IncompleteSignature", Unauthenticated}
	SignatureDoesNotMatch      = Code{"SignatureDoesNotMatch", Unauthenticated}
	InvalidClientTokenID       = Code{"InvalidClientTokenId", Unauthenticated}
	ExpiredToken               = Code{"ExpiredToken", Unauthenticated}
	InvalidAction              = Code{"InvalidAction", Invalid}
	MalformedInput             = Code{"MalformedInput", Invalid} // SerializationException in awsJson1.1
	ValidationError            = Code{"ValidationError", Invalid}
	RequestTooLarge            = Code{"RequestEntityTooLarge", TooLarge}
	RequestTimeout             = Code{"RequestTimeout", Invalid}
	Throttling                 = Code{"Throttling", Throttled}
	NotImplemented             = Code{"NotImplemented", Unsupported}
	ServiceUnavailable         = Code{"ServiceUnavailable", Unavailable}
	InternalFailure            = Code{"InternalFailure", Internal}
)
