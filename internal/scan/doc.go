// Package scan reads a few members of a JSON document in one strict pass, so
// that a delivery can be routed before anything decodes it.
//
// A [Paths] is made once from the dotted names a provider routes by, such as
// "ref" or "repository.full_name", and is then laid over each body. A scan does
// two things at once: it holds the whole document to the JSON grammar, and it
// points at the tokens that stand at the watched paths. It copies nothing and
// allocates nothing; each [Value] aliases the document.
//
// # What is accepted
//
// The grammar is the one encoding/json.Valid holds a document to, byte for
// byte: nesting ends at 10000 levels, control characters inside strings and
// leading zeros are refused, nothing but white space may follow the value, and
// bytes that are not UTF-8 pass inside strings, to be read as U+FFFD. A document
// outside it is refused with [ErrSyntax].
//
// # What is ambiguous
//
// JSON lets a name stand twice in one object, and encoding/json lets a struct
// field be filled by a name written in another case. A body that does either
// can say one thing to the router and another to the handler that decodes it:
// a signature vouches for the bytes, not for which of two readings was meant.
// So a watched name that stands twice, or a name equal to a watched one under
// the case folding of encoding/json, is refused with [ErrAmbiguous]. Names are
// compared as decoded: "r\u0065f" is "ref", and the Kelvin sign is a k. The rule
// holds for every segment of a watched path and for no other name.
//
// The promise that follows is the reason for the package: when Scan returns
// nil, a struct whose json tags are the watched names decodes from the document
// exactly what Scan reported.
//
// # What an error tells
//
// Where the document was refused, and the watched path when one was concerned;
// never a byte of the document, which may hold secrets. A document both
// malformed and ambiguous is [ErrSyntax], so that error alone says whether the
// document is JSON.
//
// Left out: array elements cannot be watched, a member whose own name holds a
// dot cannot be named, and numbers are not interpreted.
package scan

import (
	"errors"
	"fmt"
)

var (
	// ErrSyntax says that the document is not JSON. The errors Scan returns wrap
	// it and add the offset of the first byte that cannot stand where it does,
	// which is the length of the document when the document ends too early.
	ErrSyntax = errors.New("scan: not JSON")

	// ErrAmbiguous says that a watched name stands twice in its object, or stands
	// there in another case. The errors Scan returns wrap it and add the watched
	// path and the offset of the offending name.
	ErrAmbiguous = errors.New("scan: ambiguous name")
)

// syntaxError is ErrSyntax with the offset of the byte refused.
func syntaxError(offset int) error {
	return fmt.Errorf("%w: refused at byte %d", ErrSyntax, offset)
}

// ambiguousError is ErrAmbiguous with the watched path, which is the caller's
// own text, and the offset of the name that made it ambiguous.
func ambiguousError(path string, offset int) error {
	return fmt.Errorf("%w: %q at byte %d stands twice or in another case", ErrAmbiguous, path, offset)
}
