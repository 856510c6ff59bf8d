package publish_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestMemStoreHasAnUpperBoundOfEndpoints(t *testing.T) {
	store := publish.MemStore{MaxEndpoints: 2}
	for i := range 3 {
		e := storable()
		e.ID, e.Name = fmt.Sprint(i), ""
		if _, err := store.Create(t.Context(), e); (i == 2) != errors.Is(err, webhook.ErrOverloaded) {
			t.Errorf("Create of endpoint %d returned %v", i, err)
		}
	}
	if err := store.Delete(t.Context(), "0"); err != nil {
		t.Fatal(err)
	}
	e := storable()
	if _, err := store.Create(t.Context(), e); err != nil {
		t.Errorf("after a Delete: %v", err)
	}
}

func TestMemStoreDeletesTheOldestAttemptsToMakeRoom(t *testing.T) {
	store := publish.MemStore{MaxAttempts: 80}
	e := storable()
	if _, err := store.Create(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	a := publish.Attempt{Endpoint: e.ID, Event: "e", UID: "first", Type: "t", Number: 1, At: e.Since, Result: publish.Failed}
	for i := range 500 {
		if i > 0 {
			a.Endpoint, a.UID, a.At = "other", fmt.Sprint(i), e.Since.Add(time.Duration(i)*time.Second)
		}
		if _, err := store.Record(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	var uids []string
	for a, err := range store.Attempts(t.Context(), publish.AttemptFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		uids = append(uids, a.UID)
	}
	if len(uids) > 80 || len(uids) < 60 || uids[0] != "499" || !slices.Contains(uids, "first") {
		t.Errorf("%d attempts are kept, want up to 80, with the newest and the last of the endpoint: %q", len(uids), uids)
	}
}
