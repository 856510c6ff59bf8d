// Package postgres starts a PostgreSQL server of the tests' own: in a temporary
// folder, on a free port of the loopback address, not as root, gone when the
// process that started it is.
//
// The programs are looked for where Debian and Homebrew put them, then in the
// PATH.
package postgres
