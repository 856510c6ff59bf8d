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
	return errors.Is(err, errConflict) || slices.Contains([]string{"40001", "40P01", "23505", "23502"}, statement.State(err))
}

// isRowsFault reports whether the database refused values, not the connection:
// data exceptions, constraints, limits of the program, conflicts, or more locks
// than it has room for, which a part of a batch does not take.
func isRowsFault(err error) bool {
	state := statement.State(err)
	return isConflict(err) || len(state) == 5 &&
		(state == "53200" || slices.Contains([]string{"22", "23", "40", "42", "54", "55"}, state[:2]))
}

// isMissingTable reports whether the database has no tables of an inbox.
func isMissingTable(err error) bool { return statement.IsMissingTable(err, "hookhouse_schema") }
