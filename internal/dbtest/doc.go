// Package dbtest runs webhook/sqlinbox and webhook/publish/sqlstore on real
// databases: SQLite through two drivers, and a PostgreSQL server that the tests
// start for themselves. It is a module of its own, so that no user of the library
// sees a driver.
//
// Where PostgreSQL is not installed its tests are left out and say so; with
// CI=true in the environment that is a failure.
package dbtest
