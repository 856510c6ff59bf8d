package inboxtest

import (
	"context"
	"errors"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// cursorFaults break the laws of Cursors.
var cursorFaults = []brokenLaw{
	{"a cursor that was never set is empty", func(f *fault) { // it is another one
		f.cursor = func(ctx context.Context, name string) (string, error) {
			if name == "two" {
				name = "one"
			}
			return f.MemInbox.Cursor(ctx, name)
		}
	}},
	{"Cursor returns the value that SetCursor has set", func(f *fault) { // without what is not ASCII
		f.cursor = func(ctx context.Context, name string) (string, error) {
			value, err := f.MemInbox.Cursor(ctx, name)
			return strings.ReplaceAll(value, "\u4e2d", "?"), err
		}
	}},
	{"SetCursor from another value is ErrCursorMoved and changes nothing", func(f *fault) { // it deletes the cursor
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			err := f.MemInbox.SetCursor(ctx, name, from, to)
			if errors.Is(err, webhook.ErrCursorMoved) && from == "b" && to == "" {
				return f.MemInbox.SetCursor(ctx, name, "a", "")
			}
			return err
		}
	}},
	{"SetCursor of a new cursor is ErrCursorMoved if there is one", func(f *fault) { // it overwrites it
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			now, err := f.MemInbox.Cursor(ctx, name)
			if err == nil && now == "a" && from == "" && to == "b" {
				from = now
			}
			return f.MemInbox.SetCursor(ctx, name, from, to)
		}
	}},
	{"SetCursor to the value that it has already succeeds", func(f *fault) { // unless it comes from there
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			if now, _ := f.MemInbox.Cursor(ctx, name); now == to && from == "z" {
				return webhook.ErrCursorMoved
			}
			return f.MemInbox.SetCursor(ctx, name, from, to)
		}
	}},
	{"SetCursor to the empty value deletes the cursor", func(f *fault) { // it stays
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			if from == "a" && to == "" {
				return nil
			}
			return f.MemInbox.SetCursor(ctx, name, from, to)
		}
	}},
	{"of SetCursors from one value at once, one succeeds", func(f *fault) { // the check and the change are apart
		busy := f.concurrent()
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			if !busy() {
				return f.MemInbox.SetCursor(ctx, name, from, to)
			}
			now, err := f.MemInbox.Cursor(ctx, name)
			if err != nil {
				return err
			}
			return f.MemInbox.SetCursor(ctx, name, now, to)
		}
	}},
	{"a name of 255 bytes and a value of 1 KiB are kept, longer ones are refused", func(f *fault) { // a long value is cut
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			return f.MemInbox.SetCursor(ctx, name, from, to[:min(len(to), 1000)])
		}
	}},
	{"a name and a value that are not UTF-8 or have NUL are refused", func(f *fault) { // they are changed
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			return f.MemInbox.SetCursor(ctx, name, from, strings.ToValidUTF8(to, "?"))
		}
	}},
	{"a thousand cursors are kept", func(f *fault) { // the first is forgotten
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			if name == "name 500" {
				_ = f.MemInbox.SetCursor(ctx, "name 0", "value 0", "")
			}
			return f.MemInbox.SetCursor(ctx, name, from, to)
		}
	}},
	{"SetCursor with a canceled context changes nothing", func(f *fault) {
		f.setCursor = func(ctx context.Context, name, from, to string) error {
			return f.MemInbox.SetCursor(context.WithoutCancel(ctx), name, from, to)
		}
	}},
}

// knowFaults break the laws of a Knower.
var knowFaults = []brokenLaw{
	{"a dedup key is known once its delivery is stored", func(f *fault) { // not of one that is blocked
		f.changeKnown(func(_ context.Context, keys []string, known []bool) {
			for n, key := range keys {
				known[n] = known[n] && key != "4"
			}
		})
	}},
	{"a dedup key is known in whatever state its delivery is", func(f *fault) { // not of one that is dead
		f.changeKnown(func(_ context.Context, keys []string, known []bool) {
			for n, key := range keys {
				known[n] = known[n] && (key != string(webhook.Dead) || len(keys) != 4)
			}
		})
	}},
	{"the dedup keys of other Sources are not known", func(f *fault) { // they are
		f.changeKnown(func(ctx context.Context, keys []string, known []bool) {
			other, _ := f.MemInbox.Known(ctx, "beta", keys)
			for n := range keys {
				known[n] = known[n] || other[n]
			}
		})
	}},
	{"the dedup keys of a duplicate are not known", func(f *fault) { // they are
		of := make(map[string]bool)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			err := f.MemInbox.Put(ctx, d)
			if webhook.IsDuplicate(err) && len(d.DedupKeys) == 2 {
				f.mu.Lock()
				of[d.DedupKeys[1]] = true
				f.mu.Unlock()
			}
			return err
		}
		f.changeKnown(func(_ context.Context, keys []string, known []bool) {
			for n, key := range keys {
				known[n] = known[n] || of[key]
			}
		})
	}},
	{"a thousand dedup keys can be looked up at once, and no more", func(f *fault) { // more are left out
		f.known = func(ctx context.Context, source string, keys []string) ([]bool, error) {
			return f.MemInbox.Known(ctx, source, keys[:min(len(keys), 1000)])
		}
	}},
}

// knownDeletedFaults break the law of a Sweeper that is a Knower.
var knownDeletedFaults = []brokenLaw{
	{"a dedup key of a deleted delivery is known", func(f *fault) { // not of one that was dead
		swept := f.swept()
		f.changeKnown(func(_ context.Context, keys []string, known []bool) {
			for n, key := range keys {
				known[n] = known[n] && !(*swept && key == string(webhook.Dead))
			}
		})
	}},
}

// changeKnown calls change for each result of Known.
func (f *fault) changeKnown(change func(ctx context.Context, keys []string, known []bool)) {
	f.known = func(ctx context.Context, source string, keys []string) ([]bool, error) {
		known, err := f.MemInbox.Known(ctx, source, keys)
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			change(ctx, keys, known)
		}
		return known, err
	}
}

func (f *fault) Cursor(ctx context.Context, name string) (string, error) { return f.cursor(ctx, name) }

func (f *fault) SetCursor(ctx context.Context, name, from, to string) error {
	return f.setCursor(ctx, name, from, to)
}

func (f *fault) Known(ctx context.Context, source string, keys []string) ([]bool, error) {
	return f.known(ctx, source, keys)
}
