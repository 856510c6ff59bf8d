package catchup_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// farther returns a merge that keeps the larger number.
func farther(own int) func(string) string {
	return func(stored string) string {
		n, _ := strconv.Atoi(stored)
		return strconv.Itoa(max(own, n))
	}
}

func TestACursorNeverMovesBack(t *testing.T) {
	var in webhook.MemInbox
	c := catchup.Cursor{Inbox: &in, Name: "it"}
	save := func(from, to, want string) {
		t.Helper()
		own, _ := strconv.Atoi(to)
		got, ok, err := c.Save(t.Context(), from, to, farther(own))
		if stored, _ := c.Load(t.Context()); got != want || stored != want || !ok || err != nil {
			t.Errorf("Save from %q to %q returned %q, %v, %v and stored %q, want %q", from, to, got, ok, err, stored, want)
		}
	}
	save("", "5", "5")
	save("5", "5", "5")
	save("5", "7", "7")
	save("5", "6", "7") // another process has come farther
	save("5", "9", "9")
	save("", "8", "9")
}

func TestProcessesThatSaveTogetherKeepTheFarthest(t *testing.T) {
	var in webhook.MemInbox
	c := catchup.Cursor{Inbox: &in, Name: "it"}
	var wg sync.WaitGroup
	for n := 1; n <= 50; n++ {
		wg.Go(func() {
			for ok := false; !ok; { // as the next round does
				var err error
				if _, ok, err = c.Save(t.Context(), "", strconv.Itoa(n), farther(n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got, err := c.Load(t.Context()); got != "50" || err != nil {
		t.Errorf("the cursor is %q, %v, want 50", got, err)
	}
}

// A brokenInbox fails.
type brokenInbox struct{ *webhook.MemInbox }

var errDown = errors.New("the database is down")

func (brokenInbox) Cursor(context.Context, string) (string, error)          { return "", errDown }
func (brokenInbox) SetCursor(context.Context, string, string, string) error { return errDown }
func (brokenInbox) Known(context.Context, string, []string) ([]bool, error) { return nil, errDown }
func (brokenInbox) Put(context.Context, *webhook.Delivery) error            { return errDown }

// A movingInbox has a cursor that others move all the time.
type movingInbox struct {
	*webhook.MemInbox
	sets int
}

func (in *movingInbox) SetCursor(context.Context, string, string, string) error {
	in.sets++
	return webhook.ErrCursorMoved
}

func TestErrorsOfTheInbox(t *testing.T) {
	in := brokenInbox{new(webhook.MemInbox)}
	c := catchup.Cursor{Inbox: in, Name: "it"}
	_, load := c.Load(t.Context())
	_, _, save := c.Save(t.Context(), "", "1", farther(1))
	_, known := catchup.Known(t.Context(), in, "acme", []string{"a"})
	_, put := catchup.Put(t.Context(), in, new(webhook.Delivery))
	for name, err := range map[string]error{"Load": load, "Save": save, "Known": known, "Put": put} {
		if !errors.Is(err, catchup.ErrInbox) || !errors.Is(err, errDown) {
			t.Errorf("%s returned %v", name, err)
		}
	}
	moving := &movingInbox{MemInbox: new(webhook.MemInbox)}
	if _, ok, err := (catchup.Cursor{Inbox: moving, Name: "it"}).Save(t.Context(), "", "1", farther(1)); ok || err != nil || moving.sets != 4 {
		t.Errorf("Save of a cursor that moves returned %v, %v after %d tries, want false after 4", ok, err, moving.sets)
	}
	if err := (catchup.Cursor{Name: strings.Repeat("a", 256)}).Check(); err == nil || !strings.Contains(err.Error(), "256 bytes, over 255") {
		t.Errorf("Check of a long name returned %v", err)
	}
	if err := (catchup.Cursor{Name: strings.Repeat("a", 255)}).Check(); err != nil {
		t.Errorf("Check returned %v", err)
	}
}

func TestKnownAsksForAnyNumberOfKeys(t *testing.T) {
	var in webhook.MemInbox
	keys := make([]string, 2100)
	for n := range keys {
		keys[n] = fmt.Sprint("key ", n)
		if n%3 > 0 {
			continue
		}
		d := webhook.NewDelivery("acme", "acme.thing", "", nil)
		d.DedupKeys = keys[n : n+1]
		if isNew, err := catchup.Put(t.Context(), &in, d); !isNew || err != nil {
			t.Fatalf("Put returned %v, %v", isNew, err)
		}
		d = webhook.NewDelivery("acme", "acme.thing", "", nil)
		d.DedupKeys = keys[n : n+1]
		if isNew, err := catchup.Put(t.Context(), &in, d); isNew || err != nil {
			t.Fatalf("Put of a duplicate returned %v, %v", isNew, err)
		}
	}
	got, err := catchup.Known(t.Context(), &in, "acme", keys)
	if err != nil || len(got) != len(keys) {
		t.Fatalf("Known returned %d results, %v", len(got), err)
	}
	for n, known := range got {
		if known != (n%3 == 0) {
			t.Errorf("key %d: %v", n, known)
		}
	}
}

func TestGoneTellsWhatArrivedFromWhatIsLost(t *testing.T) {
	var in webhook.MemInbox
	for _, key := range []string{"a", "d2"} {
		d := webhook.NewDelivery("acme", "acme.thing", "", nil)
		d.DedupKeys = []string{key}
		if _, err := catchup.Put(t.Context(), &in, d); err != nil {
			t.Fatal(err)
		}
	}
	open := map[string][]string{"a": {"a"}, "b": {"b"}, "c": {"a"}, "d": {"d1", "d2"}, "e": {"e1", "e2"}, "f": nil}
	keys := func(_ string, keys []string) ([]string, error) { return keys, nil }
	known, unknown, err := catchup.Gone(t.Context(), &in, "acme", open, map[string]bool{"c": true, "x": true}, keys)
	slices.Sort(known)
	slices.Sort(unknown)
	if got, want := fmt.Sprint(known, unknown, err), "[a d] [b e f] <nil>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	bad := func(string, []string) ([]string, error) { return nil, errDown }
	if _, _, err := catchup.Gone(t.Context(), &in, "acme", open, nil, bad); !errors.Is(err, errDown) || errors.Is(err, catchup.ErrInbox) {
		t.Errorf("keys that fail: %v", err)
	}
	if _, _, err := catchup.Gone(t.Context(), brokenInbox{&in}, "acme", open, nil, keys); !errors.Is(err, errDown) || !errors.Is(err, catchup.ErrInbox) {
		t.Errorf("an inbox that fails: %v", err)
	}
}
