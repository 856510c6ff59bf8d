// Package pyjson writes JSON with the bytes that json.dumps of Python writes without options:
// ", " and ": " between values, everything outside printable ASCII escaped, and members in
// the order in which they were added (https://docs.python.org/3/library/json.html). JobServ
// signs such bytes.
package pyjson

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// An Object is a JSON object whose members have an order.
type Object []Member

// A Member is one of an Object. The Value is nil, a bool, an int, an int64, a json.Number, a
// string, a []any with such values or an Object.
type Member struct {
	Name  string
	Value any
}

// Add adds a member at the end. It does not look for one of the name.
func (o *Object) Add(name string, value any) { *o = append(*o, Member{name, value}) }

// Append appends v to dst. It panics if v is of another type than a Member may have.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case json.Number:
		return append(dst, v...)
	case string:
		return appendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for n, e := range v {
			if n > 0 {
				dst = append(dst, ", "...)
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for n, m := range v {
			if n > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendString(dst, m.Name), ": "...)
			dst = Append(dst, m.Value)
		}
		return append(dst, '}')
	default:
		panic(fmt.Sprintf("pyjson: a value of type %T", v))
	}
}

// Sorted returns v with the members of each Object sorted by name, as Flask's jsonify writes
// them (https://flask.palletsprojects.com/en/stable/api/#flask.json.provider.DefaultJSONProvider).
// It does not change v.
func Sorted(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for n, e := range v {
			list[n] = Sorted(e)
		}
		return list
	case Object:
		o := make(Object, len(v))
		for n, m := range v {
			o[n] = Member{m.Name, Sorted(m.Value)}
		}
		slices.SortStableFunc(o, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
		return o
	default:
		return v
	}
}

// escapes are the characters that have a short escape.
var escapes = map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`}

// appendString appends a string with its quotes. A byte that is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		short, ok := escapes[r]
		switch {
		case ok:
			dst = append(dst, short...)
		case r >= ' ' && r <= '~':
			dst = append(dst, byte(r))
		case r < 0x10000:
			dst = appendEscape(dst, r)
		case r <= utf8.MaxRune:
			high, low := utf16.EncodeRune(r)
			dst = appendEscape(appendEscape(dst, high), low)
		}
	}
	return append(dst, '"')
}

func appendEscape(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
