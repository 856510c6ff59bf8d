package scan

import (
	"bytes"
	"unicode/utf8"
)

// Kind tells what stands at a path.
type Kind uint8

// The kinds. The zero Kind is Absent: nothing stands at the path, or its parent
// is not an object.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Object
	Array
)

// kindNames are the words of Kind.String, in the order of the constants.
var kindNames = [...]string{"absent", "null", "bool", "number", "string", "object", "array"}

// String returns the kind in lower case, as a log line would name it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Value is what was found at one path. The zero Value is an absent one.
type Value struct {
	// Kind tells what stands there; Absent when nothing does.
	Kind Kind

	// Raw is the token as written: strings with their quotes, objects and arrays
	// whole. It aliases the document and is good for as long as the document is
	// left unchanged; appending to it copies. Nil when Absent.
	Raw []byte
}

// String returns a string decoded as encoding/json decodes it, a number or a
// bool as written, and "" for every other kind. Halves of surrogate pairs and
// bytes that are not UTF-8 become U+FFFD.
func (v Value) String() string {
	var room [128]byte // more than most names take
	return string(v.Append(room[:0]))
}

// Append appends what String returns to dst, which may grow.
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

// appendText decodes the inside of a JSON string. The caller has checked it
// against the grammar; anything else decodes to U+FFFD where it goes wrong.
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
