package webhooktest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// record passes deliveries to the recorder.
func record(t *testing.T, r *webhooktest.Recorder, uids ...string) {
	t.Helper()
	for _, uid := range uids {
		if err := r.Handle(t.Context(), &webhook.Delivery{UID: uid}); err != nil {
			t.Error(err)
		}
	}
}

// uids returns the UIDs as one string.
func uids(ds []*webhook.Delivery) string {
	text := ""
	for _, d := range ds {
		text += d.UID
	}
	return text
}

func TestWaitReturnsWhenEnoughAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rec webhooktest.Recorder
		record(t, &rec, "a")
		if got, err := rec.Wait(t.Context(), 1); err != nil || uids(got) != "a" {
			t.Errorf("at once: got %s, %v", uids(got), err)
		}
		start := time.Now()
		time.AfterFunc(time.Second, func() { record(t, &rec, "b") })
		time.AfterFunc(time.Minute, func() { record(t, &rec, "c", "d") })
		got, err := rec.Wait(t.Context(), 3)
		if err != nil || len(got) < 3 {
			t.Errorf("got %s, %v, want at least three", uids(got), err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("returned after %v, want a minute", took)
		}
	})
}

func TestWaitReturnsTheCauseOfItsContext(t *testing.T) {
	var rec webhooktest.Recorder
	record(t, &rec, "a")
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	got, err := rec.Wait(ctx, 2)
	if !errors.Is(err, reason) || uids(got) != "a" {
		t.Errorf("got %s, %v, want a and the cause", uids(got), err)
	}
}

func TestRecorderKeepsTheNewest(t *testing.T) {
	rec := webhooktest.Recorder{Max: 2}
	record(t, &rec, "a", "b", "c", "d")
	got, err := rec.Wait(t.Context(), 4)
	if err != nil || uids(got) != "cd" || rec.Count() != 4 {
		t.Errorf("got %s of %d, %v, want cd of 4", uids(got), rec.Count(), err)
	}
	got[0] = nil
	if uids(rec.Deliveries()) != "cd" {
		t.Error("Wait returned a slice that the recorder uses")
	}
}

func TestRecorderIsSafeForConcurrentUse(t *testing.T) {
	var rec webhooktest.Recorder
	var writers, readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if _, err := rec.Wait(t.Context(), 2000); err != nil {
				t.Error(err)
			}
		})
		writers.Go(func() {
			for range 250 {
				record(t, &rec, "x")
				_ = rec.Deliveries()
			}
		})
	}
	writers.Wait()
	readers.Wait()
	if rec.Count() != 2000 || len(rec.Deliveries()) != 1024 {
		t.Errorf("got %d recorded and %d kept, want 2000 and 1024", rec.Count(), len(rec.Deliveries()))
	}
}
