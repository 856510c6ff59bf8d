package sqlinbox

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// sqliteAdvice is what makes a database of SQLite durable, to be copied.
const sqliteAdvice = `: open it with "file:hookhouse.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",` +
	` or with the driver of mattn "file:hookhouse.db?_txlock=immediate&_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL"`

// errorsOf are the kinds of databases that can be told by an error.
var errorsOf = []struct {
	name string
	is   func(err error) bool
}{
	{"SQLite", isOfSQLite},
	{"PostgreSQL", statement.HasState},
}

// orOther returns err, and says so where the words are those of another kind of
// database than d.
func (d *Dialect) orOther(err error) error {
	for _, kind := range errorsOf {
		if kind.name != d.name && kind.is(err) {
			return fmt.Errorf("%w: the database looks like %s: give sqlinbox.%[2]s to New", err, kind.name)
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
