package webhook_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestMemInboxLogsWhatWasPausedAndDiscarded(t *testing.T) {
	var log strings.Builder
	in := &webhook.MemInbox{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	ann := webhook.Note{By: "ann"}
	for _, typ := range []string{"", "acme.push"} {
		if err := in.Pause(t.Context(), typ, ann); err != nil {
			t.Fatal(err)
		}
		if err := in.Resume(t.Context(), typ, ann); err != nil {
			t.Fatal(err)
		}
	}
	for _, typ := range []string{"acme.push", "acme.tag", "acme.push"} {
		d := webhook.NewDelivery("acme", typ, "", nil)
		if err := in.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if err := in.Bury(t.Context(), d.UID, ann); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := in.Discard(t.Context(), webhook.Filter{Source: "acme"}, ann); n != 3 || err != nil {
		t.Fatalf("discarded %d, %v", n, err)
	}
	for _, want := range []string{
		`paused" type=all by=ann`, `resumed" type=all by=ann`, `paused" type=acme.push by=ann`, `resumed" type=acme.push by=ann`,
		`discarded" count=3 types="map[acme.push:2 acme.tag:1]" by=ann`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
}

func TestMemInboxLogsHowManyOfEachTypeAreGivenUp(t *testing.T) {
	var log strings.Builder
	in := &webhook.MemInbox{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for _, typ := range []string{"acme.push", "acme.tag", "acme.push"} {
		d := webhook.NewDelivery("acme", typ, "", nil)
		d.OrderingKey = "key"
		if err := in.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := in.GiveUp(t.Context(), webhook.Filter{Source: "acme"}, webhook.Dead, webhook.Note{By: "ann"}); n != 3 || err != nil {
		t.Fatalf("gave up %d, %v", n, err)
	}
	if want := `given up" count=3 state=dead types="map[acme.push:2 acme.tag:1]" by=ann`; !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say %s:\n%s", want, log.String())
	}
}
