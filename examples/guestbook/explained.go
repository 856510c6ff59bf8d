package main

import "strings"

// An explained is an error whose text is one line. It names the setting to look at, and what to
// do if that is known.
type explained struct {
	setting, hint string
	err           error
}

// oneLine joins the lines of errors that are several, and of those that package pgx indents.
var oneLine = strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ")

func (e *explained) Error() string {
	return e.setting + ": " + oneLine.Replace(e.err.Error()) + e.hint
}

func (e *explained) Unwrap() error { return e.err }
