// Package postgres starts a PostgreSQL server for the tests: in a temporary folder, on
// a free port of the loopback address, and not as root. The server ends with the
// process that started it.
//
// The programs are searched where Debian and Homebrew install them, then in the PATH.
package postgres
