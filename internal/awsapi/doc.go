// Package awsapi is the front door that speaks the AWS APIs: CodeCommit in
// awsJson1.1, IAM and STS in awsQuery, all at POST / (and GET / with a query string
// for the latter two), as the Smithy specifications "AWS JSON 1.1 protocol" and "AWS
// Query protocol" describe them.
//
// A request goes through [Handler.ServeHTTP] from top to bottom: its signature's key
// is looked up, its body read up to a limit, the signature verified, the operation
// found in the op.Table, its input decoded into the AWS SDK's own struct, the
// operation invoked, and its output or fault written. The two codecs know no
// operation: awsJson1.1 takes member names from the SDK's schemas, awsQuery from the
// SDK's struct fields. Decoding is strict where a lenient reader would have to
// guess, and ignores unknown members as AWS does.
//
// The package decides nothing about permission and checks no value: operations do.
package awsapi
