package main

import (
	"context"
	"net/http"
)

// plain is what a program does that has no library: the same rows, by INSERTs
// of each request's own.
const plain kind = "plain"

// A place is where a keeper keeps what it takes.
type place string

const (
	inMemory   place = "memory" // and forgets it
	inFolder   place = "file"
	inSQLite   place = "SQLite"
	inPostgres place = "PostgreSQL"
)

// A keeper is one way to answer a push with 202, after it is kept, or without.
type keeper struct {
	name string
	kind kind
	in   place
	// open begins with an empty store: a folder, or the DSN of an empty schema.
	open func(ctx context.Context, at string) (*kept, error)
}

// A kept is a keeper at work.
type kept struct {
	handler http.Handler
	// count asks the store, once nobody writes, how many pushes it holds. What
	// stores nothing tells how many it took for genuine.
	count func(ctx context.Context) (int, error)
	close func() error
}

// The names by which tables and aims refer to keepers.
const (
	keepNothing = "nothing kept"
	keepLog     = "raw log, group commit"

	keepSQLite      = "hookhouse, SQLite"
	keepSQLitePlain = "INSERTs of its own, SQLite"
	keepGoqite      = "goqite Send, SQLite"

	keepPostgres      = "hookhouse, PostgreSQL"
	keepPostgresPlain = "INSERTs of its own, PostgreSQL"
	keepPostgresOne   = "one statement of its own, PostgreSQL"
	keepRiver         = "River Insert, PostgreSQL"
)

// keepers are all that take part. Those from memory are the peers of the other
// tables, which store nothing. In front of the peers that store stands what is
// in front of the floors, which costs them least.
var keepers = []keeper{
	{keepNothing, floor, inMemory, openMemory(floorPush(nothingMore))},
	{peerPlayground, peer, inMemory, openMemory(openPlayground)},
	{peerGoGitHub, peer, inMemory, openMemory(openGoGitHub)},
	{keepLog, floor, inFolder, openLog},
	{keepSQLitePlain, plain, inSQLite, openPlainSQLite},
	{keepGoqite, peer, inSQLite, openGoqite},
	{keepSQLite, ours, inSQLite, openOursSQLite},
	{keepPostgresPlain, plain, inPostgres, openPlainPostgres(insertEach)},
	{keepPostgresOne, plain, inPostgres, openPlainPostgres(insertAtOnce)},
	{keepRiver, peer, inPostgres, openRiver},
	{keepPostgres, ours, inPostgres, openOursPostgres},
}

func findKeeper(name string) (keeper, bool) {
	for _, k := range keepers {
		if k.name == name {
			return k, true
		}
	}
	return keeper{}, false
}
