package statement

import (
	"errors"
	"slices"
	"strings"
)

// A sqlStateError is an error of a driver with SQLSTATEs.
type sqlStateError interface {
	error
	SQLState() string
}

// State returns the SQLSTATE of err, or "" if it has none. The errors of PostgreSQL
// drivers have one; those of SQLite drivers are known by their text alone.
func State(err error) string {
	if s, ok := errors.AsType[sqlStateError](err); ok {
		return s.SQLState()
	}
	return ""
}

// HasState reports whether err is that of a driver with SQLSTATEs.
func HasState(err error) bool {
	_, ok := errors.AsType[sqlStateError](err)
	return ok
}

// IsSerialization reports whether another transaction has changed what this one saw.
func IsSerialization(err error) bool { return State(err) == "40001" }

// IsConflict reports whether two transactions got in each other's way, by a serialization
// failure or a deadlock, so that the one that failed may be tried again.
func IsConflict(err error) bool { return IsSerialization(err) || State(err) == "40P01" }

// IsLockTimeout reports whether another transaction held what this one needed for
// longer than it was to wait.
func IsLockTimeout(err error) bool { return State(err) == "55P03" }

// IsBusy reports whether another connection has SQLite's file.
func IsBusy(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "database is locked") || strings.Contains(err.Error(), "SQLITE_BUSY"))
}

// storageFaults are the texts of SQLite for SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY,
// SQLITE_CANTOPEN and SQLITE_NOMEM. Drivers have no way in common to get the code.
var storageFaults = []string{
	"database or disk is full", "disk I/O error", "attempt to write a readonly database", "unable to open database file", "out of memory",
}

// IsStorageFault reports whether SQLite lacks what all that write need: room on the
// disk, a file that can be opened, read and written, or memory. A malformed file
// (SQLITE_CORRUPT) does not count, because only those fail that meet the bad page.
func IsStorageFault(err error) bool {
	return err != nil && !HasState(err) && slices.ContainsFunc(storageFaults, func(text string) bool { return strings.Contains(err.Error(), text) })
}

// refusals are the texts of SQLite for SQLITE_CONSTRAINT, which a trigger can raise too,
// SQLITE_MISMATCH and SQLITE_TOOBIG.
var refusals = []string{"constraint failed", "datatype mismatch", "string or blob too big"}

// IsRefusal reports whether the database refuses the values of a statement: by a constraint,
// a trigger, a limit, or because its encoding does not have a character. The same statement
// fails again, and one with other values may not.
func IsRefusal(err error) bool {
	if HasState(err) {
		state := State(err)
		return strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23") || strings.HasPrefix(state, "54") || state == "P0001"
	}
	return err != nil && slices.ContainsFunc(refusals, func(text string) bool { return strings.Contains(err.Error(), text) })
}

// IsOtherSchema reports whether a statement names a table or a column that the
// database does not have.
func IsOtherSchema(err error) bool {
	if err == nil {
		return false
	}
	if HasState(err) {
		return State(err) == "42703" || State(err) == "42P01"
	}
	text := err.Error()
	return strings.Contains(text, "no such column") || strings.Contains(text, "no such table") || strings.Contains(text, "has no column named")
}

// IsMissingTable reports whether a statement names the table and the database does
// not have it.
func IsMissingTable(err error, table string) bool {
	if HasState(err) {
		return State(err) == "42P01"
	}
	return err != nil && strings.Contains(err.Error(), "no such table: "+table)
}
