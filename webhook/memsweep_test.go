package webhook_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

func TestMemInboxKeepsTheLawsOfASweeper(t *testing.T) {
	open := func(_ *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
		return &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention, Logger: quiet}
	}
	inboxtest.RunSweeperSynctest(t, open)
	t.Run("in real time", func(t *testing.T) { inboxtest.RunSweeper(t, open) })
}

func TestMemInboxKeepsDeadDeliveriesLongerThanOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{Logger: quiet}
		putDelivery(t, in, "done", nil)
		finish(t, in, webhook.Done)
		putDelivery(t, in, "dead", nil)
		finish(t, in, webhook.Dead)
		for _, step := range []struct {
			after time.Duration
			want  map[webhook.State]int
		}{
			{7*24*time.Hour - time.Minute, map[webhook.State]int{webhook.Done: 1, webhook.Dead: 1}},
			{2 * time.Minute, map[webhook.State]int{webhook.Dead: 1}},
			{83*24*time.Hour - 2*time.Minute, map[webhook.State]int{webhook.Dead: 1}},
			{2 * time.Minute, map[webhook.State]int{}},
		} {
			advance(step.after)
			_, err := in.Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(step.want, counts(t, in)); diff != "" {
				t.Fatalf("counts(in) (-want +got):\n%s", diff)
			}
		}
	})
}

func TestMemInboxWarnsWhenItDeletesDeadDeliveries(t *testing.T) {
	synctestRun(t, "after DeadRetention", func(t *testing.T) {
		var out bytes.Buffer
		in := &webhook.MemInbox{DeadRetention: time.Hour, Logger: slog.New(slog.NewTextHandler(&out, nil))}
		putDelivery(t, in, "a", typed("github.push"))
		putDelivery(t, in, "b", typed("kudu.deployment"))
		finish(t, in, webhook.Dead)
		putDelivery(t, in, "c", nil)
		finish(t, in, webhook.Done)
		advance(2 * time.Hour)
		n, err := in.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n != 2 {
			t.Fatalf("n = %d, want 2", n)
		}
		if got := out.String(); !strings.Contains(got, `level=WARN msg="dead deliveries are deleted after DeadRetention" count=2 types="[github.push kudu.deployment]"`) {
			t.Fatalf("out.String() = %q, want it to contain %q", got, `level=WARN msg="dead deliveries are deleted after DeadRetention" count=2 types="[github.push kudu.deployment]"`)
		}
	})
	synctestRun(t, "to make room", func(t *testing.T) {
		var out bytes.Buffer
		in := &webhook.MemInbox{MaxDeliveries: 1, Logger: slog.New(slog.NewTextHandler(&out, nil))}
		putDelivery(t, in, "a", nil)
		finish(t, in, webhook.Dead)
		putDelivery(t, in, "b", nil)
		if got := out.String(); !strings.Contains(got, "level=WARN") {
			t.Fatalf("out.String() = %q, want it to contain \"level=WARN\"", got)
		}
		if got := out.String(); !strings.Contains(got, "count=1") {
			t.Fatalf("out.String() = %q, want it to contain \"count=1\"", got)
		}
	})
}

func TestMemInboxNamesUnhandledTypes(t *testing.T) {
	unhandled := func(t *testing.T, in *webhook.MemInbox) []string {
		t.Helper()
		types, err := in.Unhandled(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return types
	}
	synctestRun(t, "once they have been due for a minute", func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "a", typed("github.push"))
		putDelivery(t, in, "b", typed("kudu.job"))
		putDelivery(t, in, "c", typed("acme.x"))
		_, err := in.Claim(t.Context(), webhook.ClaimOptions{Types: []string{"github.push", "github.star"}})
		if err != nil {
			t.Fatal(err)
		}
		advance(59 * time.Second)
		if got := unhandled(t, in); len(got) != 0 {
			t.Fatalf("unhandled(in) = %v, want empty", got)
		}
		advance(2 * time.Second)
		if diff := cmp.Diff([]string{"acme.x", "kudu.job"}, unhandled(t, in)); diff != "" {
			t.Fatalf("unhandled(in) (-want +got):\n%s", diff)
		}
		_, err = in.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := unhandled(t, in); len(got) != 0 {
			t.Fatalf("a claim asked for all: unhandled(in) = %v, want empty", got)
		}
	})
}

func TestMemInboxSaysHowLongItKeepsWhatIsFinished(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct{ retention, dead, wantRetention, wantDead time.Duration }{
		{0, 0, 7 * day, 90 * day},
		{time.Hour, time.Minute, time.Hour, time.Minute},
		{-1, -2, -1, -2},
	} {
		in := &webhook.MemInbox{Retention: test.retention, DeadRetention: test.dead}
		if kept, dead := in.Kept(); kept != test.wantRetention || dead != test.wantDead {
			t.Errorf("with %v and %v Kept returned %v, %v", test.retention, test.dead, kept, dead)
		}
	}
}
