package scan

import (
	"encoding/binary"
	"math/bits"
)

// The functions of this file each step over one token that begins before or at
// offset i of doc and return the offset behind it. Those that can refuse return
// the complement of the offset of the byte refused, which is negative; a caller
// tests the sign and complements it back.

// each spreads a byte over the eight of a word; tops is the high bit of each.
const (
	each = 0x0101010101010101
	tops = 0x80 * each
)

// plainEscapes are the bytes that may follow a backslash, less u.
var plainEscapes = [256]bool{
	'"': true, '\\': true, '/': true,
	'b': true, 'f': true, 'n': true, 'r': true, 't': true,
}

// blank are the bytes that are white space in JSON.
var blank = [256]bool{' ': true, '\n': true, '\r': true, '\t': true}

// space steps over white space. It is small enough to be inlined where there is
// none, as between most tokens of a compact document.
func space(doc []byte, i int) int {
	if i < len(doc) && doc[i] <= ' ' {
		return longSpace(doc, i)
	}
	return i
}

// longSpace is space for the inside of an indented document.
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

// text steps over a string whose opening quote stands before i.
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

// special marks the high bit of each byte of w that is a quote, a backslash or a
// control character. A borrow can mark a byte falsely, but only above one marked
// rightly, so the lowest mark is always right.
//
// Flipping bit 1 puts the quote next to the control characters: of the ASCII
// bytes these 33, and no others, are then below 0x21.
func special(w uint64) uint64 {
	low := (w ^ 0x02*each) - 0x21*each
	slash := (w ^ '\\'*each) - each
	return (low | slash) &^ w & tops
}

// load returns the eight bytes at i, the first in the lowest bits.
func load(doc []byte, i int) uint64 {
	return binary.LittleEndian.Uint64(doc[i : i+8])
}

// escape steps over what follows a backslash.
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

// literal steps over word, the first byte of which is known to stand at i.
func literal(doc []byte, i int, word string) int {
	for k := range len(word) {
		if i+k >= len(doc) || doc[i+k] != word[k] {
			return ^(i + k)
		}
	}
	return i + len(word)
}

// number steps over a number. It ends at the first byte that cannot continue it,
// so "01" ends behind the zero and whoever asks for a comma refuses the one.
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

// digits steps over one digit or more.
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
