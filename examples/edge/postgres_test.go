package main

import "errors"

// postgresURL is the URL of the server of the tests, without a query. It is empty if
// PostgreSQL is not installed.
var postgresURL string

// errNoPostgres is the error of startPostgres if PostgreSQL is not installed.
var errNoPostgres = errors.New("PostgreSQL, which is not installed; get it: apt-get install postgresql")
