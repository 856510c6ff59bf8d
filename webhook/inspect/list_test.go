package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// A failingStore fails after it has listed some deliveries.
type failingStore struct {
	*webhook.MemInbox
	after int
}

var errStore = errors.New("connection to db.internal is lost")

func (s failingStore) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		n := 0
		for r, err := range s.MemInbox.All(ctx, f) {
			if n++; n > s.after || !yield(r, err) {
				break
			}
		}
		if n > s.after || s.after == 0 {
			yield(webhook.Record{}, errStore)
		}
	}
}

func (s failingStore) Get(context.Context, string) (webhook.Record, error) {
	return webhook.Record{}, errStore
}

func (s failingStore) Overview(context.Context, int) (webhook.Overview, error) {
	return webhook.Overview{}, errStore
}

func TestAStoreThatFailsInMidPageGivesNoPage(t *testing.T) {
	r := newRig(t)
	r.fill(5)
	r.Inspector = r.inspector(failingStore{r.inbox, 3}, ann)
	for _, query := range []string{"", "?source=shop"} {
		requireError(t, r.get("api/deliveries"+query), 503, "the store failed; the log says why")
	}
}

// A sparseStore has deliveries at every thousandth Seq, as when most have been deleted,
// and counts how far apart the bounds of its lists were.
type sparseStore struct {
	inspect.Store
	deliveries int64
	looked     int64 // of Seqs between bounds
	unbounded  int   // lists without a lower bound that could read more than one row
}

func (s *sparseStore) All(_ context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		n := 0
		top := f.Before
		if top == 0 {
			top = s.deliveries*1000 + 1
		}
		switch {
		case f.Limit == 1: // reads one row
		case f.After > 0 || top <= 33_000: // zero is a bound near the first
			s.looked += top - f.After
		default:
			s.unbounded++
		}
		for seq := (top - 1) / 1000 * 1000; seq > f.After && seq > 0; seq -= 1000 {
			d := webhook.Delivery{UID: fmt.Sprint(seq), Source: "shop", Type: "shop.order", OrderingKey: fmt.Sprint(seq / 1000), ReceivedAt: time.Unix(seq, 0)}
			if seq/1000%100 == 0 {
				d.Type = "shop.rare"
			}
			if f.Type != "" && f.Type != d.Type {
				continue
			}
			if n++; !yield(webhook.Record{Delivery: &d, Seq: seq, State: webhook.Done}, nil) || n == f.Limit {
				return
			}
		}
	}
}

func TestAPageWithARareMatchLooksAtABoundedNumberOfDeliveries(t *testing.T) {
	r := newRig(t)
	store := &sparseStore{Store: r.inbox, deliveries: 1000}
	r.Inspector = r.inspector(store, ann)
	var got []string
	query, pages := "api/deliveries?type=shop.rare", 0
	for {
		pages++
		store.looked = 0
		l := decode[listed](t, r.get(query))
		got = append(got, l.keys()...)
		if store.looked > 32_000 || store.unbounded > 0 {
			t.Errorf("page %d looked at %d Seqs, and %d times without a bound", pages, store.looked, store.unbounded)
		}
		if l.Partial != (l.Next != 0) || l.Partial == (l.LookedBack == "") {
			t.Errorf("page %d: %+v", pages, l)
		}
		if l.Next == 0 || pages > 100 {
			break
		}
		query = fmt.Sprintf("api/deliveries?type=shop.rare&before=%d", l.Next)
	}
	if d := cmp.Diff([]string{"1000", "900", "800", "700", "600", "500", "400", "300", "200", "100"}, got); d != "" {
		t.Errorf("in %d pages: -want +got\n%s", pages, d)
	}
	if pages < 10 {
		t.Errorf("only %d pages", pages)
	}
}

func TestNeighborsAreThoseOfTheOrderingKeyThatComeNext(t *testing.T) {
	r := newRig(t)
	var uids []string
	for i := range 30 {
		d := delivery("key", "{}")
		d.ID = fmt.Sprint(i)
		uids = append(uids, r.put(d).UID)
		r.put(delivery("other", "{}"))
	}
	type sides struct {
		Newer, Older []struct{ ID string }
		Partial      bool
	}
	ids := func(s sides) (newer, older []string) {
		for _, d := range s.Newer {
			newer = append(newer, d.ID)
		}
		for _, d := range s.Older {
			older = append(older, d.ID)
		}
		return newer, older
	}
	for _, tt := range []struct {
		of           int
		newer, older []string
	}{
		{15, []string{"20", "19", "18", "17", "16"}, []string{"14", "13", "12", "11", "10"}},
		{0, []string{"5", "4", "3", "2", "1"}, nil},
		{28, []string{"29"}, []string{"27", "26", "25", "24", "23"}},
	} {
		s := decode[sides](t, r.get("api/neighbors?uid="+uids[tt.of]))
		newer, older := ids(s)
		if d := cmp.Diff([][]string{tt.newer, tt.older}, [][]string{newer, older}); d != "" || s.Partial {
			t.Errorf("of %d (partial %t): -want +got\n%s", tt.of, s.Partial, d)
		}
	}
	lone := r.put(delivery("", "{}"))
	r.put(delivery("", "{}"))
	if newer, older := ids(decode[sides](t, r.get("api/neighbors?uid="+lone.UID))); len(newer)+len(older) > 0 {
		t.Errorf("of one without an ordering key: %v %v", newer, older)
	}
	requireError(t, r.get("api/neighbors?uid=nobody"), 404, "no such delivery")
	requireError(t, r.get("api/neighbors"), 400, "uid is missing")
}

func TestItIsServedWhereverItIsMounted(t *testing.T) {
	r := newRig(t)
	direct := func(pattern, path string) int {
		mux := http.NewServeMux()
		mux.Handle(pattern, r.Inspector)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code
	}
	for _, tt := range []struct {
		pattern, path string
		want          int
	}{
		{"/", "/api/overview", 200},
		{"/debug/hooks/", "/debug/hooks/api/overview", 200},
		{"GET /debug/hooks/", "/debug/hooks/api/overview", 200},
		{"example.com/hooks/", "/hooks/api/overview", 200},
		{"/{tenant}/hooks/", "/acme/hooks/api/overview", 200},
		{"/hooks/{rest...}", "/hooks/api/overview", 200},
		{"/hooks/", "/hooks/other/api/overview", 404},
		{"/hooks/", "/hooks/api/overview/", 404},
		{"/hooks/", "/hooks/api%2Foverview%2F..", 404},
		{"/{tenant}/hooks/", "/a%2Fb/hooks/api/overview", 404},
		{"/hooks/", "/hooks/%2e%2e/%2e%2e/etc/passwd", 404},
		{"/hooks/", "/hooks/api/", 404},
		{"/hooks/", "/hooks/templates/list.html", 404},
	} {
		if got := direct(tt.pattern, tt.path); got != tt.want && (got != 307 && got != 301 || tt.want != 404) {
			t.Errorf("%s mounted at %s: %d, want %d", tt.path, tt.pattern, got, tt.want)
		}
	}
	w := httptest.NewRecorder()
	http.StripPrefix("/debug/hooks", r.Inspector).ServeHTTP(w, httptest.NewRequest("GET", "/debug/hooks/api/overview", nil))
	if w.Code != 200 {
		t.Errorf("behind StripPrefix: %d", w.Code)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "ET"} {
		if w := r.serve(r.request(method, "api/deliveries", "")); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	if w := r.get("api/replay"); w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET of an act: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}
