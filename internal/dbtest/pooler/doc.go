// Package pooler runs the laws of an inbox through pgbouncer in transaction mode, with pgx in
// the exec mode, where nothing is prepared and no session belongs to a client for longer than
// a transaction.
package pooler
