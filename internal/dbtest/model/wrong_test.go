package model

import "database/sql/driver"

// A wrong is a fault put into the inbox from outside: other statements in the
// place of its own, by name. They take no arguments unless they take the same.
type wrong struct {
	name       string
	statements map[string]string
}

// right is the inbox as it is.
var right = &wrong{}

// rewrite returns what is sent in the place of a statement.
func (w *wrong) rewrite(name, text string, args []driver.NamedValue) (string, []driver.NamedValue) {
	other, ok := w.statements[name]
	switch {
	case !ok:
		return text, args
	case !parameters.MatchString(other):
		return other, nil
	default:
		return other, args
	}
}
