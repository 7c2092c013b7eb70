// Package archtest holds the house together: who may import whom, what must be
// documented, what is forbidden where, how long things may get, and that the table of
// operations, the catalog of actions and the documents say the same. It is nothing but
// tests; it reads the module's source in its own process, so that Go's test cache sees
// every file that a verdict depends on.
package archtest
