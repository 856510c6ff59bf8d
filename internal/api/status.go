package api

import (
	"fmt"
	"strings"
)

// maxMessage is the maximum length of a server's message in an error, in bytes.
const maxMessage = 256

// IsSuccess reports whether a status is one of 200 to 299.
func IsSuccess(code int) bool { return code >= 200 && code <= 299 }

// IsRedirect reports whether a status is one of 300 to 399.
func IsRedirect(code int) bool { return code >= 300 && code <= 399 }

// Message returns the first 256 bytes of a server's message, without invalid
// UTF-8. The caller removes secrets first.
func Message(text string) string {
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	return strings.ToValidUTF8(text, "")
}

// StatusText returns the text of an error for a status: the status and, if
// message is not empty, the quoted message.
func StatusText(code int, message string) string {
	if message == "" {
		return fmt.Sprintf("status %d", code)
	}
	return fmt.Sprintf("status %d: %q", code, message)
}
