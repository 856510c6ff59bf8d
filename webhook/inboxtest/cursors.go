package inboxtest

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// cursors are the laws of [webhook.Cursors]. Every other Inbox passes.
var cursors = []law{
	{"a cursor that was never set is empty", ofCursors(func(t *cursorTrial) {
		t.set("one", "", "a")
		t.is("two", "")
	})},
	{"Cursor returns the value that SetCursor has set", ofCursors(func(t *cursorTrial) {
		name, value := "github repos/\u00e4/b 'hooks' | 1", "{\"at\":\"2026-01-02T03:04:05Z\"} \u4e2d\n\t\\"
		t.set(name, "", value)
		t.is(name, value)
		t.set(name, value, "b")
		t.is(name, "b")
		t.set("another", "", "c")
		t.is(name, "b")
		t.is("another", "c")
	})},
	{"SetCursor from another value is ErrCursorMoved and changes nothing", ofCursors(func(t *cursorTrial) {
		t.set("one", "", "a")
		t.moved("one", "b", "c")
		t.moved("one", "b", "")
		t.is("one", "a")
		t.moved("none", "a", "b")
		t.is("none", "")
	})},
	{"SetCursor of a new cursor is ErrCursorMoved if there is one", ofCursors(func(t *cursorTrial) {
		t.set("one", "", "a")
		t.moved("one", "", "b")
		t.is("one", "a")
	})},
	{"SetCursor to the value that it has already succeeds", ofCursors(func(t *cursorTrial) {
		t.set("one", "", "a")
		t.set("one", "", "a")
		t.set("one", "z", "a")
		t.set("one", "a", "a")
		t.set("none", "z", "")
		t.is("one", "a")
	})},
	{"SetCursor to the empty value deletes the cursor", ofCursors(func(t *cursorTrial) {
		t.set("one", "", "a")
		t.set("one", "a", "")
		t.is("one", "")
		t.set("one", "", "b")
		t.is("one", "b")
	})},
	{"of SetCursors from one value at once, one succeeds", ofCursors(func(t *cursorTrial) {
		from := ""
		for round := range 5 {
			var wg sync.WaitGroup
			errs := make([]error, 4)
			value := func(n int) string { return fmt.Sprintf("%d of %d", n, round) }
			for n := range errs {
				wg.Go(func() { errs[n] = t.c.SetCursor(t.Context(), "one", from, value(n)) })
			}
			wg.Wait()
			var set []string
			for n, err := range errs {
				if err == nil {
					set = append(set, value(n))
				} else if !errors.Is(err, webhook.ErrCursorMoved) {
					t.Fatalf("SetCursor: %v, want ErrCursorMoved", err)
				}
			}
			if len(set) != 1 {
				t.Fatalf("%q were set, want one", set)
			}
			t.is("one", set[0])
			from = set[0]
		}
	})},
	{"a name of 255 bytes and a value of 1 KiB are kept, longer ones are refused", ofCursors(func(t *cursorTrial) {
		name, value := strings.Repeat("n", 255), strings.Repeat("v", 1024)
		t.set(name, "", value)
		t.is(name, value)
		t.refused("", "a")
		t.refused(name+"n", "a")
		t.refused("one", value+"v")
		t.is("one", "")
	})},
	{"a name and a value that are not UTF-8 or have NUL are refused", ofCursors(func(t *cursorTrial) {
		for _, text := range []string{"a\xffb", "a\x00b"} {
			t.refused(text, "a")
			t.refused("one", text)
		}
		t.is("one", "")
	})},
	{"a thousand cursors are kept", ofCursors(func(t *cursorTrial) {
		const many = 1000
		for n := range many {
			t.set(fmt.Sprint("name ", n), "", fmt.Sprint("value ", n))
		}
		for n := range many {
			t.is(fmt.Sprint("name ", n), fmt.Sprint("value ", n))
		}
	})},
	{"SetCursor with a canceled context changes nothing", ofCursors(func(t *cursorTrial) {
		t.set("one", "", "a")
		if err := t.c.SetCursor(t.canceled(), "one", "a", "b"); err == nil {
			t.Errorf("SetCursor returned nil")
		}
		t.is("one", "a")
	})},
}

// A cursorTrial is a trial with an inbox that has Cursors.
type cursorTrial struct {
	*trial
	c webhook.Cursors
}

func ofCursors(check func(t *cursorTrial)) func(t *trial) {
	return func(t *trial) {
		if c, ok := t.in.(webhook.Cursors); ok {
			check(&cursorTrial{t, c})
		}
	}
}

// set requires that SetCursor succeeds.
func (t *cursorTrial) set(name, from, to string) {
	t.Helper()
	if err := t.c.SetCursor(t.Context(), name, from, to); err != nil {
		t.Fatalf("SetCursor of %q from %q to %q: %v", name, from, to, err)
	}
}

// is requires that a cursor has the value.
func (t *cursorTrial) is(name, want string) {
	t.Helper()
	if got, err := t.c.Cursor(t.Context(), name); err != nil || got != want {
		t.Errorf("Cursor of %q: %q, %v, want %q", name, got, err, want)
	}
}

// moved requires that SetCursor returns ErrCursorMoved.
func (t *cursorTrial) moved(name, from, to string) {
	t.Helper()
	if err := t.c.SetCursor(t.Context(), name, from, to); !errors.Is(err, webhook.ErrCursorMoved) {
		t.Errorf("SetCursor of %q from %q to %q: %v, want ErrCursorMoved", name, from, to, err)
	}
}

// refused requires that SetCursor refuses the name or the value, with a permanent error.
func (t *cursorTrial) refused(name, to string) {
	t.Helper()
	if err := t.c.SetCursor(t.Context(), name, "", to); err == nil || !webhook.IsPermanent(err) {
		t.Errorf("SetCursor of %.20q to %.20q: %v, want a permanent error", name, to, err)
	}
}
