package sqlinbox

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// sqliteAdvice is what makes a database of SQLite durable, to be copied.
const sqliteAdvice = `: open it with "file:hookhouse.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",` +
	` or with the driver of mattn "file:hookhouse.db?_txlock=immediate&_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL"`

// orOther returns err, and says so if it is that of another kind of database than d.
func (d *Dialect) orOther(err error) error {
	for _, other := range dialects {
		if other != d && other.isError(err) {
			return fmt.Errorf("%w: the database looks like %s: give sqlinbox.%[2]s to New", err, other)
		}
	}
	return err
}

// isOfSQLite: what its drivers all say to a statement that it does not know.
func isOfSQLite(err error) bool {
	if statement.HasState(err) {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "no such ") || strings.Contains(text, `near "`) && strings.Contains(text, `": syntax error`)
}
