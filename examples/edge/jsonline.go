package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
)

// jsonLine returns v as JSON in one line with its newline. Everything that could
// control a terminal is escaped, also what JSON allows in a string: senders choose much
// of the text.
func jsonLine(v any) ([]byte, error) {
	var plain, line bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	for _, r := range plain.String() {
		switch high, low := utf16.EncodeRune(r); {
		case unicode.IsPrint(r) || r == '\n': // the newline at the end; another is escaped already
			line.WriteRune(r)
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&line, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&line, `\u%04x`, r)
		}
	}
	return line.Bytes(), nil
}
