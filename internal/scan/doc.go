// Package scan finds a few members of a JSON document and validates the document,
// in one pass. A provider uses it to route a delivery before its payload is decoded.
//
// [New] takes the watched paths: dotted names such as "ref" or
// "repository.full_name". [Paths.Scan] reads a document and returns a [Value] for
// each path. If no more than 64 names are watched, it does not allocate. It does not
// copy: each Value aliases the document.
//
// # Validation
//
// Scan accepts exactly the documents that encoding/json.Valid accepts, and returns
// [ErrSyntax] for any other:
//
//   - Arrays and objects nest up to 10000 levels.
//   - Strings have no control characters, and numbers no leading zeros.
//   - Only white space follows the value.
//   - Strings may contain bytes that are not UTF-8. They are decoded as U+FFFD.
//
// # Ambiguous names
//
// An object can contain the same name twice, and encoding/json also sets a struct
// field from a name whose case differs. Scan and the decoder of a handler could then
// read different values from one body, although its signature is valid. To prevent
// this, Scan returns [ErrAmbiguous] in two cases:
//
//   - An object contains a watched name twice.
//   - An object contains a name that differs from a watched name, but is equal to it
//     under the case folding of encoding/json.
//
// Names are compared after decoding: "r\u0065f" is "ref". The case folding includes
// the Kelvin sign, which folds to k. The rule applies to each segment of a watched
// path, and to no other name.
//
// So if Scan returns nil, a struct with the watched names as json tags decodes from
// the document exactly the values that Scan returned.
//
// # Errors
//
// An error contains an offset in the document and, if it is ErrAmbiguous, the
// watched path. It never contains a part of the document, which may contain secrets.
// For a document that is both invalid and ambiguous the error is ErrSyntax. So any
// other result means that the document is JSON.
//
// # Limits
//
// Elements of arrays cannot be watched. Members whose name contains a dot cannot be
// watched. Numbers are not converted.
package scan

import (
	"errors"
	"fmt"
)

var (
	// ErrSyntax means that the document is not JSON. The error that Scan returns
	// wraps it and contains the offset of the first invalid byte. If the document
	// ends too early, that is the length of the document.
	ErrSyntax = errors.New("scan: not JSON")

	// ErrAmbiguous means that an object contains a watched name twice, or a name
	// that differs from it only by case. The error that Scan returns wraps it and
	// contains the watched path and the offset of the second or the different name.
	ErrAmbiguous = errors.New("scan: ambiguous name")
)

// syntaxError returns an ErrSyntax with the offset of the invalid byte.
func syntaxError(offset int) error {
	return fmt.Errorf("%w: invalid at byte %d", ErrSyntax, offset)
}

// ambiguousError returns an ErrAmbiguous with the watched path, which is not from
// the document, and the offset of the name that is repeated or has another case.
func ambiguousError(path string, offset int) error {
	return fmt.Errorf("%w: %q at byte %d is repeated or in another case", ErrAmbiguous, path, offset)
}
