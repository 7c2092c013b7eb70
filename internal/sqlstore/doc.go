// Package sqlstore keeps every domain's rows in one SQL database: it implements the
// Store contracts of the domains and the decision log of package authz.
//
// There is one set of hand-written queries. What differs between engines (how a
// connection is opened, how parameters are spelled, what an error means, the column
// types of the migrations) is a [dialect]: sqlite.go is one, and another engine is
// one more file and one more folder of migrations. So that this stays true, SQL here
// is portable: no triggers, no sequences, no reliance on foreign keys or savepoints,
// identifiers made in Go, names compared byte by byte, parameters written $1, $2, …
// and never anything pasted into the text of a query.
//
// Terms: a view is a read-only transaction on one snapshot; an update is a
// serialisable transaction that is durable when it has returned without an error.
//
// The package decides nothing: no permission, no limit, no rule of IAM or Git. It
// translates the engine's errors into those of the domain's contract at its edge,
// so that nothing above knows an engine.
package sqlstore
