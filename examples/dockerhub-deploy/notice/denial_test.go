package notice

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDenialBeginsAndEndsOnce(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var d Denial
	for _, step := range []struct {
		by    string
		after time.Duration
		want  bool
	}{{"o1", 0, true}, {"o1", time.Hour, false}, {"o2", time.Hour, false}, {"o2", remindAfter, false}, {"o2", remindAfter + 1, true}, {"o2", remindAfter + 2, false}} {
		if got := d.Begin(step.by, now.Add(step.after)); got != step.want || d.By != step.by {
			t.Errorf("%+v: begins %v, %+v", step, got, d)
		}
	}
	d.Since = now
	for _, step := range []struct{ r, want Result }{
		{Result{Outcome: Unchanged}, Result{Outcome: Allowed, Reason: "the registry has denied it since 2026-01-02T03:04:05Z"}},
		{Result{Outcome: Deployed}, Result{Outcome: Deployed, Reason: "the registry has denied it since 2026-01-02T03:04:05Z"}},
		{Result{Outcome: Failed, Reason: "no"}, Result{Outcome: Failed, Reason: "no; the registry has denied it since 2026-01-02T03:04:05Z"}},
	} {
		ends := d
		if diff := cmp.Diff(step.want, ends.End(step.r)); diff != "" || ends != (Denial{}) {
			t.Errorf("%+v (-want +got):\n%s", ends, diff)
		}
		if diff := cmp.Diff(step.r, ends.End(step.r)); diff != "" {
			t.Errorf("once more (-want +got):\n%s", diff)
		}
	}
}
