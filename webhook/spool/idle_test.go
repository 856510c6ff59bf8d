package spool_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
		require.NoError(t, json.Unmarshal([]byte(text), &line))
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
		require.Empty(t, log.lines(t), "Run may begin soon")
		advance(2 * time.Second)
		lines := warned(t, log, idleWarning)
		require.Len(t, lines, 1)
		require.EqualValues(t, 2, lines[0]["stored"])
		advance(time.Hour)
		require.Len(t, log.lines(t), 1, "deliveries of an earlier warning are not counted again")
	})
	synctestRun(t, "once a minute while deliveries arrive", func(t *testing.T) {
		r, log := newLogged()
		for i := range 600 {
			r.handle(t, fmt.Sprint(i))
			advance(time.Second)
		}
		require.Len(t, warned(t, log, idleWarning), 10)
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
		require.Empty(t, warned(t, log, idleWarning))
		stop()
		require.Empty(t, warned(t, log, idleWarning))
		r.handle(t, "b")
		advance(10 * time.Second)
		require.Len(t, warned(t, log, idleWarning), 1, "the Spool warns after Run has returned")
	})
	synctestRun(t, "not for a delivery that was not stored", func(t *testing.T) {
		r, log := newLogged()
		r.setLocal(refused, "Put")
		require.Error(t, r.Handle(t.Context(), &webhook.Delivery{UID: "1"}))
		advance(time.Minute)
		require.Empty(t, log.lines(t))
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
			require.ErrorIs(t, err, webhook.ErrNotStored, "the delivery is not acknowledged")
			require.ErrorIs(t, err, refusal)
			r.handle(t, "2")
			require.Equal(t, []string{"2"}, inOrder(t, primary), "the next delivery goes to primary at once")
			require.Empty(t, counts(t, local))
		})
	}
}
