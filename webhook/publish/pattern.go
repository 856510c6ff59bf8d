package publish

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// Patterns returns the patterns that match a type of events. These are the forms:
//
//   - "invoice.paid" matches this type only.
//   - "invoice.*" matches each type that begins with "invoice.", such as invoice.paid and
//     invoice.line.added, and not the type invoice.
//   - "*" matches every type.
//
// So a type with n dots has n+2 patterns, and a [Store] finds the endpoints of a type by that
// number of look-ups. The most special one comes first.
func Patterns(typ string) []string {
	list := make([]string, 0, strings.Count(typ, ".")+2)
	list = append(list, typ)
	for {
		dot := strings.LastIndexByte(typ, '.')
		if dot < 0 {
			return append(list, "*")
		}
		typ = typ[:dot]
		list = append(list, typ+".*")
	}
}

// ValidateType returns an error that wraps [ErrEvent] if typ is not the type of an event: words
// between single dots, together up to 255 bytes. A word has any printable characters of
// UTF-8 except the dot, the asterisk and white space.
func ValidateType(typ string) error {
	if fault := typeFault(typ); fault != "" {
		return fmt.Errorf("%w: Type %s: %s", ErrEvent, quote(typ), fault)
	}
	return nil
}

// typeFault says what is wrong with a type, and is empty if nothing is.
func typeFault(typ string) string {
	if fault := textFault(typ, limit.Name); fault != "" {
		return fault
	}
	switch {
	case typ == "":
		return "it is empty"
	case strings.Contains("."+typ+".", ".."):
		return "it has an empty word: a dot at an end, or two dots in a row"
	case strings.Contains(typ, "*"):
		return "it has an asterisk"
	case strings.ContainsFunc(typ, notOfWord):
		return "it has white space or a character that cannot be printed"
	}
	return ""
}

// patternFault says what is wrong with a pattern, and is empty if nothing is.
func patternFault(pattern string) string {
	if pattern == "*" {
		return ""
	}
	if len(pattern) > limit.Name {
		return textFault(pattern, limit.Name)
	}
	typ, _ := strings.CutSuffix(pattern, ".*")
	if fault := typeFault(typ); fault != "" {
		return fault + ` (the forms are "a.b", "a.*" and "*")`
	}
	return ""
}
