package sqlinbox

import (
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// errConflict: another transaction came in between, and what was decided does not
// hold. The transaction must roll back, and may be tried again.
var errConflict = errors.New("sqlinbox: another transaction came in between")

// isConflict reports whether two transactions got in each other's way:
// serialization failure, deadlock, the two constraints by which writers notice each
// other (see the statement insert), and what they see of each other too late.
func isConflict(err error) bool {
	return errors.Is(err, errConflict) || statement.IsConflict(err) || slices.Contains([]string{"23505", "23502"}, statement.State(err))
}

// isRowsFault reports whether a part of the batch may succeed, by the class of the
// SQLSTATE, its first two characters. A batch that fails so is halved.
//
//   - 22, 23: a value or a constraint. These are faults of a row.
//   - 40, and what else isConflict reports: another transaction got in the way.
//   - 42: a syntax error or a missing right. A trigger or a policy of the program may
//     raise it for one row.
//   - 53200: out of memory, also for locks. A smaller batch takes fewer.
//   - 54: a limit of the server, such as the size of a value.
//   - 55: a lock is not available. Only the delivery that needs it must wait.
func isRowsFault(err error) bool {
	state := statement.State(err)
	return isConflict(err) || len(state) == 5 &&
		(state == "53200" || slices.Contains([]string{"22", "23", "40", "42", "54", "55"}, state[:2]))
}

// isMissingTable reports whether the database has no tables of an inbox.
func isMissingTable(err error) bool { return statement.IsMissingTable(err, "hookhouse_schema") }
