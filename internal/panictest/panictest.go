// Package panictest checks in tests that misuse panics.
package panictest

import (
	"strings"
	"testing"
)

// Require stops the test unless f panics with a string that begins with prefix.
func Require(t testing.TB, prefix string, f func()) {
	t.Helper()
	panicked, value := call(f)
	if !panicked {
		t.Fatalf("did not panic, want a panic with %q", prefix)
	}
	if text, ok := value.(string); !ok || !strings.HasPrefix(text, prefix) {
		t.Fatalf("panic with %v, want one with %q", value, prefix)
	}
}

// call reports whether f panics, and with what.
func call(f func()) (panicked bool, value any) {
	defer func() {
		if value = recover(); value != nil {
			panicked = true
		}
	}()
	f()
	return false, nil
}
