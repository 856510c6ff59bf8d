// Package rules holds the house to its rules. It has no code, only tests: what
// may import what, what a consumer's module list shows, that the code which the
// README shows is the code that is compiled, that every command, flag and link
// that a document shows exists, that every exported name tells its contract, that
// no retired name comes back, and that each example builds when it is copied out.
package rules
