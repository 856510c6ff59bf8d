// Package dbtest runs webhook/sqlinbox on real databases: SQLite through two
// drivers, and a PostgreSQL server that the tests start for themselves. It is a
// module of its own, so that no user of the library sees a driver.
//
// The server is looked for in the PATH and where Debian and Homebrew put it. It
// runs in a temporary folder, on a free port of the loopback address, not as
// root, and ends with the tests. Where none is installed the PostgreSQL tests
// are left out and say so; with CI=true in the environment that is a failure.
package dbtest
