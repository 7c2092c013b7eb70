// Package iam is the identity domain: the users and groups of an account, their
// inline policies, tags and credentials, as AWS Identity and Access Management has
// them (API version 2010-05-08). One file per operation; the table of all of them is
// (*Service).Operations.
//
// Terms: a user's or group's unique ID (AIDA…, AGPA…) never changes and is never
// reused, its name and path may change, and its ARN is made of both. The account's
// generation is a number that grows with every change of anything in this domain: who
// remembers what was read at a generation knows by one small read whether it still
// holds, and so a change takes effect on the very next request.
//
// [Service] is also where package authn finds credentials and where package authz
// finds policies. It decides nothing itself: an operation states what must be allowed.
//
// Not here: signatures and passwords on the wire (package authn), the policy language
// (package policy), SQL (package sqlstore).
package iam
