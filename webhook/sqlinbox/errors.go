package sqlinbox

import (
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// The errors of this package. Each error that it returns wraps one of these, one of
// package webhook, or the database's own. Test with [errors.Is].
var (
	// ErrNotMigrated: the tables are missing or of an earlier version. Call
	// [Inbox.Migrate] first.
	ErrNotMigrated = errors.New("sqlinbox: schema is not migrated: call Inbox.Migrate")
	// ErrNewerSchema: a later version of this package has migrated the database.
	ErrNewerSchema = errors.New("sqlinbox: schema is newer than this program")
	// ErrNotDurable: the settings of the database allow a commit to be lost.
	ErrNotDurable = errors.New("sqlinbox: database is not durable")
	// ErrIsolation: the caller's transaction is not READ COMMITTED, which PutTx and
	// SettleTx rely on in PostgreSQL.
	ErrIsolation = errors.New("sqlinbox: the transaction must be READ COMMITTED")
	// ErrConnections: the *sql.DB allows too few connections.
	ErrConnections = errors.New("sqlinbox: needs at least two connections: raise SetMaxOpenConns")
	// ErrInvalid: the delivery has no UID, or a name that no column takes: over
	// 255 bytes, not UTF-8, or with a NUL. Or its Malformed or Unsigned is no such text of
	// at most 4 KiB, or its NotBefore is before 1970 or after the year 294246. Or its body is
	// over 256 MiB; then the error is also [webhook.ErrTooLarge]. Or the name or value of a
	// cursor cannot be stored. It is [webhook.Permanent].
	ErrInvalid = errors.New("sqlinbox: delivery cannot be stored")
	// ErrClosed: the inbox was closed.
	ErrClosed = errors.New("sqlinbox: inbox is closed")
)

// lost returns the error of a claim that is no longer held.
func lost(c webhook.Claim) error { return fmt.Errorf("%w: %s", webhook.ErrClaimLost, c.Delivery.UID) }
