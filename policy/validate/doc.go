// Package validate finds what is wrong, dangerous or without effect in a policy
// document, without running it.
//
// [Document] answers with findings. A finding has one of the four severities of IAM
// Access Analyzer's policy validation, a stable code, the place in the text, a
// sentence, and where one is known a [Mend], often with edits that a machine can make.
//
// An ERROR is what [policy.Parse] refuses, so that a document has an error exactly
// when it cannot be saved. Everything else saves and is then silently not what its
// author meant: an action that does not exist, a condition key that the action never
// carries, a statement that another one swallows. The IAM service itself says nothing
// about those (IAM User Guide, "Access Analyzer policy check reference").
//
// What is said about two patterns is said only when it is sure: one is called covered
// by another when every text that it matches, whatever the values of its variables,
// is matched by the other. A covered pattern may go unnoticed; one that is not covered
// is never called so.
//
// Facts about actions, resource types and condition keys come from package catalog;
// what CodeCommit does with refs is in codecommit.go. The package is pure: it reads no
// file and looks at no clock. Package report prints findings.
package validate
