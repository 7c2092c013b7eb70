// Package sts is the domain of AWS Security Token Service (API version 2011-06-15), as
// far as a host without roles and federation has it: a caller can ask who it is, and a
// user can get temporary credentials of its own. The identity domain makes and verifies
// those; this package has AWS's rules of when. The table of its operations is
// (*Service).Operations.
package sts
