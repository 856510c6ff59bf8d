// Package pooler runs the laws of an inbox through pgbouncer in transaction mode, with pgx in
// the exec mode, where nothing is prepared and no session belongs to a client for longer than
// a transaction. The role of the inbox has exactly the rights that the documentation of
// sqlinbox lists.
package pooler
