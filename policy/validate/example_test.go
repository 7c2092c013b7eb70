package validate_test

import (
	"fmt"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
)

// A Deny that names a ref only IfExists denies every push, because the first decision of
// a push is made before any ref is known.
func ExampleDocument() {
	document := `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*",
   "Condition": {"StringEqualsIfExists": {"codecommit:References": "refs/heads/master"}}}
]}`
	for _, f := range validate.Document(policy.Identity, []byte(document), validate.Options{}) {
		if f.Code == validate.DenyBlocksEveryPush {
			fmt.Printf("%v %s %s\n", f.Start, f.Severity, f.Code)
		}
	}
	// Output:
	// 3:43 WARNING DENY_BLOCKS_EVERY_PUSH
}
