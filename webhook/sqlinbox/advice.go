package sqlinbox

import (
	"errors"
	"fmt"
	"strings"
)

// sqliteAdvice is what makes a database of SQLite durable, to be copied.
const sqliteAdvice = `: open it with "file:hookhouse.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",` +
	` or with the driver of mattn "file:hookhouse.db?_txlock=immediate&_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL"`

// orOther returns err, and says so where the words are those of another kind of
// database than d.
func (d *Dialect) orOther(err error) error {
	var s sqlState
	other := ""
	switch isPostgres := errors.As(err, &s); {
	case d == SQLite && isPostgres:
		other = "PostgreSQL"
	case d == PostgreSQL && !isPostgres && isOfSQLite(err):
		other = "SQLite"
	default:
		return err
	}
	return fmt.Errorf("%w: the database looks like %s: give sqlinbox.%[2]s to New", err, other)
}

// isOfSQLite: what its drivers all say to a statement that it does not know.
func isOfSQLite(err error) bool {
	text := err.Error()
	return strings.Contains(text, "no such ") || strings.Contains(text, `near "`) && strings.Contains(text, `": syntax error`)
}

// inTxError returns the error of what ran inside InTx, and says so where it is
// that of a caller who waits for itself.
func (d *Dialect) inTxError(err error) error {
	if d.pinned && isBusy(err) && !errors.Is(err, errTurn) {
		return fmt.Errorf("%w: inside InTx use its tx, not the *sql.DB", err)
	}
	return err
}
