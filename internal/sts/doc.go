// Package sts is the domain of AWS Security Token Service (API version 2011-06-15), as
// far as a host without temporary credentials has it: a caller can ask who it is. The
// table of its operations is (*Service).Operations.
package sts
