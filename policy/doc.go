// Package policy is the IAM policy language: it parses, decides, explains and prints.
//
// A document is JSON (IAM User Guide, "Grammar of the IAM JSON policy language"):
//
//	document   = { "Version": …, "Id": …, "Statement": statement | [statement, …] }
//	statement  = { "Sid": …, "Effect": "Allow" | "Deny",
//	               "Principal" | "NotPrincipal": "*" | { "AWS" | "Federated" | "Service" | "CanonicalUser": list },
//	               "Action" | "NotAction": list, "Resource" | "NotResource": list,
//	               "Condition": { operator: { key: list, … }, … } }
//	list       = one value or an array of values
//
// [Parse] checks a document as the service does, with its messages, and compiles it
// into a [Policy]. A [Situation] holds the policies of one principal by layer:
// identity policies, permissions boundary, session policies, service control policies.
// [Situation.Decide] answers a [Request] with one of three outcomes;
// [Situation.Explain] gives the same answer with its reasons. Trust and resource
// policies, which name their principals, take part through [Situation.DecideFor].
//
// Where AWS's documentation is silent or contradicts itself a test answers
// "contested": an Allow statement then does not apply and a Deny statement does. That
// is the reading that denies more, and an explanation says where it was taken.
//
// The package is pure. It knows no service and no action: those are in package
// catalog. It does not read files, keep state, look at a clock or log.
package policy
