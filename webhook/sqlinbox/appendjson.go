package sqlinbox

import "unicode/utf8"

// appendJSONStrings appends a list as encoding/json writes it. A nil list is null.
func appendJSONStrings(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, text)
	}
	return append(b, ']')
}

// appendJSONString appends a text as encoding/json writes it. The text must be valid
// UTF-8.
func appendJSONString(b []byte, text string) []byte {
	b = append(b, '"')
	start := 0 // of what is copied as it is
	for i := 0; i < len(text); {
		c := text[i]
		size := 1
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			b = appendEscaped(append(b, text[start:i]...), c)
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			if r != '\u2028' && r != '\u2029' { // which end a line of JavaScript
				i += size
				continue
			}
			b = append(append(b, text[start:i]...), `\u202`...)
			b = append(b, hexDigits[r&0xF])
		}
		i += size
		start = i
	}
	b = append(b, text[start:]...)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
}

// appendComma appends a comma unless b begins an object.
func appendComma(b []byte) []byte { return appendCommaAfter(b, '{') }

// appendCommaAfter appends a comma unless b ends with the given byte.
func appendCommaAfter(b []byte, first byte) []byte {
	if b[len(b)-1] == first {
		return b
	}
	return append(b, ',')
}
