package limit

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// CursorValue is the maximum length in bytes of the value of a cursor.
	CursorValue = 1 << 10
	// KnownKeys is how many dedup keys can be looked up at once.
	KnownKeys = 1000
)

// Cursor returns an error if not every inbox can keep a cursor with this name and these
// values.
func Cursor(name string, values ...string) error {
	switch {
	case name == "":
		return fmt.Errorf("the name of a cursor is empty")
	case len(name) > Name:
		return fmt.Errorf("the name of a cursor has %d bytes, over %d", len(name), Name)
	case !isText(name):
		return fmt.Errorf("the name of a cursor, %q, is not UTF-8 without NUL", name)
	}
	for _, v := range values {
		switch {
		case len(v) > CursorValue:
			return fmt.Errorf("cursor %q: the value has %d bytes, over %d", name, len(v), CursorValue)
		case !isText(v):
			return fmt.Errorf("cursor %q: the value %q is not UTF-8 without NUL", name, v)
		}
	}
	return nil
}

// Keys returns an error if n dedup keys are too many to look up at once.
func Keys(n int) error {
	if n > KnownKeys {
		return fmt.Errorf("%d dedup keys are looked up at once, over %d", n, KnownKeys)
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
