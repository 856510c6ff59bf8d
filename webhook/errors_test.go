package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestStatusCode(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 202},
		{"a duplicate", webhook.ErrDuplicate, 202},
		{"a duplicate with its first", &webhook.DuplicateError{UID: "u", State: webhook.Done}, 202},
		{"ignored", webhook.ErrIgnored, 202},
		{"no handler", webhook.ErrNoHandler, 202},
		{"malformed", webhook.ErrMalformed, 400},
		{"malformed and permanent", webhook.Permanent(webhook.ErrMalformed), 400},
		{"not verified", webhook.ErrUnverified, 401},
		{"too large", webhook.ErrTooLarge, 413},
		{"of another media type", webhook.ErrMediaType, 415},
		{"overloaded", webhook.ErrOverloaded, 503},
		{"not stored", webhook.ErrNotStored, 503},
		{"not stored, whatever the inbox wraps", fmt.Errorf("%w: %w", webhook.ErrNotStored, webhook.ErrIgnored), 503},
		{"not stored because malformed", fmt.Errorf("%w: %w", webhook.ErrNotStored, webhook.ErrMalformed), 503},
		{"not stored because the inbox panicked", fmt.Errorf("%w: %w", webhook.ErrNotStored, &webhook.PanicError{Value: "x"}), 503},
		{"asked for later", webhook.RetryAfter(time.Minute, io.EOF), 503},
		{"a panic", &webhook.PanicError{Value: "x"}, 500},
		{"a panic with a sentinel", &webhook.PanicError{Value: webhook.ErrDuplicate}, 500},
		{"permanent", webhook.Permanent(io.EOF), 500},
		{"a lost claim", webhook.ErrClaimLost, 500},
		{"anything else", io.EOF, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := webhook.StatusCode(tt.err); got != tt.want {
				t.Errorf("StatusCode = %d, want %d", got, tt.want)
			}
			if tt.err == nil {
				return
			}
			if got := webhook.StatusCode(fmt.Errorf("acme: %w", tt.err)); got != tt.want {
				t.Errorf("StatusCode of the wrapped error = %d, want %d", got, tt.want)
			}
			if http.StatusText(webhook.StatusCode(tt.err)) == "" {
				t.Error("the status has no text for the sender")
			}
		})
	}
}

func TestErrorWrappers(t *testing.T) {
	if webhook.Permanent(nil) != nil || webhook.RetryAfter(time.Second, nil) != nil {
		t.Error("a nil error was wrapped into one")
	}
	for name, err := range map[string]error{
		"Permanent":                 webhook.Permanent(io.EOF),
		"RetryAfter":                webhook.RetryAfter(time.Second, io.EOF),
		"RetryAfter below zero":     webhook.RetryAfter(-time.Second, io.EOF),
		"RetryAfter of a Permanent": webhook.RetryAfter(time.Second, webhook.Permanent(io.EOF)),
	} {
		if !errors.Is(err, io.EOF) || err.Error() != io.EOF.Error() {
			t.Errorf("%s changed the error to %q", name, err)
		}
	}
}

func TestDuplicateError(t *testing.T) {
	err := &webhook.DuplicateError{UID: "u1", State: webhook.Done}
	if !errors.Is(err, webhook.ErrDuplicate) || errors.Is(err, webhook.ErrIgnored) {
		t.Error("errors.Is does not find ErrDuplicate")
	}
	if got, want := err.Error(), "webhook: duplicate of u1, which is done"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err = &webhook.DuplicateError{UID: "u1", State: webhook.Waiting, Revived: true}
	if got, want := err.Error(), "webhook: duplicate of u1, which was dead and is waiting again"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJoinedErrorsWithAFailureAreNotASuccess(t *testing.T) {
	failed := errors.New("the deploy failed")
	for _, success := range []error{webhook.ErrDuplicate, webhook.ErrIgnored, webhook.ErrNoHandler, &webhook.DuplicateError{}} {
		if got := webhook.StatusCode(errors.Join(success, failed)); got != 500 {
			t.Errorf("%v joined with a failure: status %d", success, got)
		}
		if got := webhook.StatusCode(fmt.Errorf("place: %w", errors.Join(success, success))); got != 202 {
			t.Errorf("%v joined with itself: status %d", success, got)
		}
	}
}

func TestIsPermanentNeedsEveryJoinedError(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"any error", io.EOF, false},
		{"permanent", webhook.Permanent(io.EOF), true},
		{"malformed", webhook.ErrMalformed, true},
		{"permanent, wrapped beside a sentinel", fmt.Errorf("%w: %w", webhook.ErrNotStored, webhook.Permanent(io.EOF)), true},
		{"both joined are", errors.Join(webhook.Permanent(io.EOF), webhook.ErrMalformed), true},
		{"one of two joined is", errors.Join(webhook.Permanent(io.EOF), io.EOF), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := webhook.IsPermanent(tt.err); got != tt.want {
				t.Errorf("IsPermanent(%v) is %t", tt.err, got)
			}
		})
	}
}
