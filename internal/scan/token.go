package scan

import (
	"encoding/binary"
	"math/bits"
)

// Each function of this file skips a token that begins before or at offset i of doc,
// and returns the offset after it. If the token is invalid, it returns the complement
// of the offset of the invalid byte, which is negative.

// A byte times each is a word with that byte eight times. tops has the high bit of
// each byte.
const (
	each = 0x0101010101010101
	tops = 0x80 * each
)

// plainEscapes are the bytes other than u that may follow a backslash.
var plainEscapes = [256]bool{
	'"': true, '\\': true, '/': true,
	'b': true, 'f': true, 'n': true, 'r': true, 't': true,
}

// blank are the white space bytes of JSON.
var blank = [256]bool{' ': true, '\n': true, '\r': true, '\t': true}

// space skips white space. It is small enough to be inlined, for the usual case that
// there is none.
func space(doc []byte, i int) int {
	if i < len(doc) && doc[i] <= ' ' {
		return longSpace(doc, i)
	}
	return i
}

// longSpace is the slow path of space. It is fast for indented documents.
func longSpace(doc []byte, i int) int {
	for i < len(doc) && blank[doc[i]] {
		i++
		for i <= len(doc)-8 {
			n := bits.TrailingZeros64(load(doc, i)^' '*each) / 8
			i += n
			if n < 8 {
				break
			}
		}
	}
	return i
}

// text skips a string whose opening quote is at i-1.
func text(doc []byte, i int) int {
	for {
		for i <= len(doc)-8 {
			if hit := special(load(doc, i)); hit != 0 {
				i += bits.TrailingZeros64(hit) / 8
				break
			}
			i += 8
		}
		if i >= len(doc) {
			return ^len(doc)
		}
		switch c := doc[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = escape(doc, i+1); i < 0 {
				return i
			}
		case c < ' ':
			return ^i
		default:
			i++
		}
	}
}

// special returns w with only the high bit set in each byte that is a quote, a
// backslash or a control character. A borrow can set the bit of another byte, but
// only above such a byte, so the lowest set bit is always correct.
//
// Flipping bit 1 moves the quote next to the control characters: of the ASCII bytes
// only these 33 are then below 0x21.
func special(w uint64) uint64 {
	low := (w ^ 0x02*each) - 0x21*each
	slash := (w ^ '\\'*each) - each
	return (low | slash) &^ w & tops
}

// load returns the eight bytes at i, in little-endian order.
func load(doc []byte, i int) uint64 {
	return binary.LittleEndian.Uint64(doc[i : i+8])
}

// escape skips an escape whose backslash is at i-1.
func escape(doc []byte, i int) int {
	if i >= len(doc) {
		return ^i
	}
	if plainEscapes[doc[i]] {
		return i + 1
	}
	if doc[i] != 'u' {
		return ^i
	}
	for end := i + 4; i < end; {
		i++
		if i >= len(doc) || !isHex(doc[i]) {
			return ^i
		}
	}
	return i + 1
}

// literal skips word. The caller has checked that its first byte is at i.
func literal(doc []byte, i int, word string) int {
	for k := range len(word) {
		if i+k >= len(doc) || doc[i+k] != word[k] {
			return ^(i + k)
		}
	}
	return i + len(word)
}

// number skips a number. The number ends at the first byte that cannot continue it:
// of "01" it skips the zero, and the caller finds the 1 invalid.
func number(doc []byte, i int) int {
	if i < len(doc) && doc[i] == '-' {
		i++
	}
	if i < len(doc) && doc[i] == '0' {
		i++
	} else if i = digits(doc, i); i < 0 {
		return i
	}
	if i < len(doc) && doc[i] == '.' {
		if i = digits(doc, i+1); i < 0 {
			return i
		}
	}
	if i < len(doc) && lower(doc[i]) == 'e' {
		i++
		if i < len(doc) && (doc[i] == '+' || doc[i] == '-') {
			i++
		}
		return digits(doc, i)
	}
	return i
}

// digits skips one or more digits.
func digits(doc []byte, i int) int {
	start := i
	for i < len(doc) && isDigit(doc[i]) {
		i++
	}
	if i == start {
		return ^i
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	c = lower(c)
	return isDigit(c) || 'a' <= c && c <= 'f'
}
