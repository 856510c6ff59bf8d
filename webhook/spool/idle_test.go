package spool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A recordedLog keeps what is logged. It is safe for concurrent use.
type recordedLog struct {
	mu  sync.Mutex
	buf strings.Builder
}

func newRecordedLog() (*slog.Logger, *recordedLog) {
	l := new(recordedLog)
	return slog.New(slog.NewJSONHandler(l, nil)), l
}

func (l *recordedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// lines returns the lines logged so far.
func (l *recordedLog) lines(t *testing.T) (lines []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range strings.Lines(l.buf.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// warned returns the lines whose message contains text.
func warned(t *testing.T, l *recordedLog, text string) []map[string]any {
	t.Helper()
	return slices.DeleteFunc(l.lines(t), func(line map[string]any) bool {
		return !strings.Contains(fmt.Sprint(line["msg"]), text)
	})
}

const idleWarning = "Spool.Run is not running"

func TestSpoolWithoutRunWarns(t *testing.T) {
	newLogged := func() (*rig, *recordedLog) {
		r := newRig()
		var log *recordedLog
		r.Logger, log = newRecordedLog()
		return r, log
	}
	synctestRun(t, "seconds after the first delivery, even if there is no other", func(t *testing.T) {
		r, log := newLogged()
		r.handle(t, "1")
		r.handle(t, "2")
		advance(4 * time.Second)
		if got := log.lines(t); len(got) != 0 {
			t.Fatalf("Run may begin soon: log.lines() = %v, want empty", got)
		}
		advance(2 * time.Second)
		lines := warned(t, log, idleWarning)
		if len(lines) != 1 {
			t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
		}
		if lines[0]["stored"] != 2.0 {
			t.Fatalf(`lines[0]["stored"] = %v, want %v`, lines[0]["stored"], 2)
		}
		advance(time.Hour)
		if got := log.lines(t); len(got) != 1 {
			t.Fatalf("deliveries of an earlier warning are not counted again: len(log.lines()) = %d, want 1: %v", len(got), got)
		}
	})
	synctestRun(t, "once a minute while deliveries arrive", func(t *testing.T) {
		r, log := newLogged()
		for i := range 600 {
			r.handle(t, fmt.Sprint(i))
			advance(time.Second)
		}
		if got := warned(t, log, idleWarning); len(got) != 10 {
			t.Fatalf("len(warned(log, idleWarning)) = %d, want 10: %v", len(got), got)
		}
	})
	synctestRun(t, "not if Run begins in time, and not while Run is running", func(t *testing.T) {
		r, log := newLogged()
		r.handle(t, "1")
		advance(time.Second)
		stop := r.run(t)
		r.set(refused)
		for i := range 100 {
			r.handle(t, fmt.Sprint("a", i))
			advance(time.Second)
		}
		if got := warned(t, log, idleWarning); len(got) != 0 {
			t.Fatalf("warned(log, idleWarning) = %v, want empty", got)
		}
		stop()
		if got := warned(t, log, idleWarning); len(got) != 0 {
			t.Fatalf("warned(log, idleWarning) = %v, want empty", got)
		}
		r.handle(t, "b")
		advance(10 * time.Second)
		if got := warned(t, log, idleWarning); len(got) != 1 {
			t.Fatalf("the Spool warns after Run has returned: len(warned(log, idleWarning)) = %d, want 1: %v", len(got), got)
		}
	})
	synctestRun(t, "not for a delivery that was not stored", func(t *testing.T) {
		r, log := newLogged()
		r.setLocal(refused, "Put")
		if err := r.Handle(t.Context(), &webhook.Delivery{UID: "1"}); err == nil {
			t.Fatal(`r.Handle(&webhook.Delivery{UID: "1"}) is nil, want an error`)
		}
		advance(time.Minute)
		if got := log.lines(t); len(got) != 0 {
			t.Fatalf("log.lines() = %v, want empty", got)
		}
	})
}

func TestSpoolStaysOnPrimaryAfterAPermanentRefusal(t *testing.T) {
	for name, refusal := range map[string]error{"permanent": webhook.Permanent(errBoom), "malformed": webhook.ErrMalformed} {
		synctestRun(t, name, func(t *testing.T) {
			primary, local := &pickyInbox{&webhook.MemInbox{}, "1", refusal}, &webhook.MemInbox{}
			r := &rig{Spool: spool.New(webhook.Store(primary), local)}
			r.Logger = slog.New(slog.DiscardHandler)
			defer r.run(t)()
			err := r.Handle(t.Context(), &webhook.Delivery{UID: "1", Source: "alpha", Type: "alpha.event", OrderingKey: "key"})
			if !errors.Is(err, webhook.ErrNotStored) {
				t.Fatalf("the delivery is not acknowledged: error = %v, want %v", err, webhook.ErrNotStored)
			}
			if !errors.Is(err, refusal) {
				t.Fatalf("error = %v, want %v", err, refusal)
			}
			r.handle(t, "2")
			if diff := cmp.Diff([]string{"2"}, inOrder(t, primary)); diff != "" {
				t.Fatalf("the next delivery goes to primary at once: inOrder(primary) (-want +got):\n%s", diff)
			}
			if got := counts(t, local); len(got) != 0 {
				t.Fatalf("counts(local) = %v, want empty", got)
			}
		})
	}
}
