package scan

import (
	"bytes"
	"unicode/utf8"
)

// A Kind is the kind of a JSON value.
type Kind uint8

// The kinds. The zero Kind is Absent: the document has no value at the path.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Object
	Array
)

// kindNames are the results of Kind.String.
var kindNames = [...]string{"absent", "null", "bool", "number", "string", "object", "array"}

// String returns the name of the kind in lower case, or "unknown".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// A Value is the value at a path. The zero Value is Absent.
type Value struct {
	// Kind is the kind of the value.
	Kind Kind

	// Raw is the JSON of the value: a string with its quotes, a whole object or
	// array. It aliases the document, and is valid while the document is not
	// changed. Appending to it makes a copy. If Kind is Absent, it is nil.
	Raw []byte
}

// String returns a string as encoding/json decodes it, a number or bool as written,
// and "" for other kinds. In a string, half a surrogate pair and a byte that is not
// UTF-8 become U+FFFD.
func (v Value) String() string {
	var buf [128]byte // longer than most names
	return string(v.Append(buf[:0]))
}

// Append appends the result of String to dst and returns the extended slice.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case Number, Bool:
		return append(dst, v.Raw...)
	case String:
		if len(v.Raw) < 2 {
			return dst
		}
		return appendText(dst, v.Raw[1:len(v.Raw)-1])
	default:
		return dst
	}
}

// appendText decodes raw, the bytes between the quotes of a JSON string. Invalid
// escapes, which a Value of Scan does not have, become U+FFFD.
func appendText(dst, raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return append(dst, raw...)
	}
	for len(raw) > 0 {
		r, size := nextRune(raw)
		dst = utf8.AppendRune(dst, r)
		raw = raw[size:]
	}
	return dst
}
