// Package durable measures answers that are given once a push is stored.
package durable

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/webhook"
)

// plain is what a program without a library does: the same rows, with INSERTs for
// each request.
const plain receive.Kind = "plain"

// An impl is one way to answer a push with 202, mostly after it is stored.
type impl struct {
	name    string
	kind    receive.Kind
	backend env.Backend
	// open opens an empty store, which is a folder or the DSN of an empty schema.
	open func(ctx context.Context, at string) (*opened, error)
}

// An opened is an impl with its store.
type opened struct {
	handler http.Handler
	// count returns how many pushes are stored, or how many were accepted if nothing
	// is stored. It is called after the last write.
	count func(ctx context.Context) (int, error)
	close func() error
}

// The names by which tables and aims refer to implementations.
const (
	nothing = "nothing stored"
	rawLog  = "raw log, group commit"

	sqliteOurs   = "hookhouse, SQLite"
	sqlitePlain  = "INSERTs of its own, SQLite"
	sqliteGoqite = "goqite Send, SQLite"

	rabbitOurs  = "hookhouse Publisher, RabbitMQ"
	rabbitPlain = "publish and confirm, RabbitMQ"

	postgresOurs   = "hookhouse, PostgreSQL"
	postgresPlain  = "INSERTs of its own, PostgreSQL"
	postgresAtOnce = "one statement of its own, PostgreSQL"
	postgresRiver  = "River Insert, PostgreSQL"
)

// impls are all that are measured. The peers of the receive path store nothing.
// Peers that store are behind the floor's read and MAC, which is the cheapest way
// to verify.
var impls = []impl{
	{nothing, receive.Floor, env.Memory, openMemory(receive.FloorVerify)},
	{receive.Playground, receive.Peer, env.Memory, openMemory(receive.Playground)},
	{receive.GoGitHub, receive.Peer, env.Memory, openMemory(receive.GoGitHub)},
	{rawLog, receive.Floor, env.File, openLog},
	{sqlitePlain, plain, env.SQLite, openPlainSQLite},
	{sqliteGoqite, receive.Peer, env.SQLite, openGoqite},
	{sqliteOurs, receive.Ours, env.SQLite, openOurs(env.SQLite)},
	{postgresPlain, plain, env.PostgreSQL, openPlainPostgres(insertEach)},
	{postgresAtOnce, plain, env.PostgreSQL, openPlainPostgres(insertAtOnce)},
	{postgresRiver, receive.Peer, env.PostgreSQL, openRiver},
	{postgresOurs, receive.Ours, env.PostgreSQL, openOurs(env.PostgreSQL)},
	{rabbitPlain, receive.Floor, env.RabbitMQ, openPlainRabbit},
	{rabbitOurs, receive.Ours, env.RabbitMQ, openRabbit},
}

// openMemory is for implementations that answer and store nothing.
func openMemory(name string) func(context.Context, string) (*opened, error) {
	return func(context.Context, string) (*opened, error) {
		var taken atomic.Int64
		return &opened{
			handler: receive.Find(name).Open(func(any) { taken.Add(1) }),
			count:   func(context.Context) (int, error) { return int(taken.Load()), nil },
			close:   func() error { return nil },
		}, nil
	}
}

// openOurs is a Receiver that stores, as its documentation shows it.
func openOurs(b env.Backend) func(context.Context, string) (*opened, error) {
	return func(ctx context.Context, at string) (*opened, error) {
		store, err := b.Open(ctx, at)
		if err != nil {
			return nil, err
		}
		return &opened{
			handler: receive.Receiver(receive.PushSource(), webhook.Store(store.Inbox)),
			count:   schema.Count(store.DB, schema.Stored),
			close:   store.Close,
		}, nil
	}
}

// openLog is the floor under everything that stores.
func openLog(_ context.Context, folder string) (*opened, error) {
	l, err := openRawLog(folder, sender.PushSize)
	if err != nil {
		return nil, err
	}
	return &opened{handler: receive.StoreBody(l.put), count: l.count, close: l.file.Close}, nil
}
