package sqlinbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestMultiObserverCallsEachInOrder(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	var seen []string
	named := func(name string, after func()) *sqlinbox.Observer {
		see := func(event string, args ...any) {
			seen = append(seen, name+" "+event+fmt.Sprintf("%v", args))
			after()
		}
		return &sqlinbox.Observer{
			Stored: func(_ context.Context, d *webhook.Delivery, took time.Duration) { see("stored", d.UID, took) },
			Duplicate: func(_ context.Context, d *webhook.Delivery, known *webhook.DuplicateError) {
				see("duplicate", d.UID, known.UID)
			},
			Superseded: func(_ context.Context, uid string, by *webhook.Delivery) { see("superseded", uid, by.UID) },
			Refused:    func(_ context.Context, d *webhook.Delivery, err error) { see("refused", d.UID, err) },
			Batch: func(puts, bytes int, took time.Duration, err error) {
				see("batch", puts, bytes, took, err)
			},
			Swept:    func(_ context.Context, n int) { see("swept", n) },
			Repaired: func(_ context.Context, source, key string) { see("repaired", source, key) },
		}
	}
	list := []*sqlinbox.Observer{named("first", func() { panic("first") }), nil, {}, named("second", func() {})}
	o := sqlinbox.MultiObserver(list...)
	list[3] = nil // is no longer used

	ctx, d := t.Context(), &webhook.Delivery{UID: "u"}
	o.Stored(ctx, d, 1)
	o.Duplicate(ctx, d, &webhook.DuplicateError{UID: "known"})
	o.Superseded(ctx, "old", d)
	o.Refused(ctx, d, io.EOF)
	o.Batch(2, 3, 4, io.EOF)
	o.Swept(ctx, 5)
	o.Repaired(ctx, "acme", "key")

	var want []string
	for _, event := range []string{"stored[u 1ns]", "duplicate[u known]", "superseded[old u]", "refused[u EOF]", "batch[2 3 4ns EOF]", "swept[5]", "repaired[acme key]"} {
		want = append(want, "first "+event, "second "+event)
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if n := strings.Count(log.String(), "observer panicked"); n != 7 {
		t.Errorf("%d panics are logged, want 7:\n%s", n, &log)
	}
	sqlinbox.MultiObserver().Swept(ctx, 1)
}
