package publish

import "strings"

// isToken reports whether s is a name of a header; see RFC 9110, section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7F || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isHeaderValue reports whether HTTP can send s as a value of a header, and a database can
// store it: UTF-8 without control characters except the tab.
func isHeaderValue(s string) bool {
	return textFault(s, len(s)) == "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F })
}
