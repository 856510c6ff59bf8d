package dbtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// The inspector shows an inbox in a database as it shows one in memory.
func TestInspectorOfADatabase(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		inspector, err := inspect.New(in, func(http.ResponseWriter, *http.Request) (string, bool) { return "ann", true })
		must(t, err)
		get := func(page string) (out struct {
			Deliveries, Newer, Older []struct{ UID, ID string }
			Next                     int64
			Count                    map[string]struct{ N int }
		}) {
			t.Helper()
			w := httptest.NewRecorder()
			inspector.ServeHTTP(w, httptest.NewRequest("GET", "/"+page, nil))
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s, %v", page, w.Code, w.Body, err)
			}
			return out
		}
		for i := range 12 {
			d := delivery("key")
			d.ID = fmt.Sprint(i)
			put(t, in, d)
		}
		if _, err := in.Settle(t.Context(), claimOne(t, in), webhook.Outcome{State: webhook.Dead, Reason: "Connection refused"}); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for page := "api/deliveries?key=key&limit=5"; ; {
			l := get(page)
			for _, d := range l.Deliveries {
				ids = append(ids, d.ID)
			}
			if l.Next == 0 {
				break
			}
			page = fmt.Sprintf("api/deliveries?key=key&limit=5&before=%d", l.Next)
		}
		if d := cmp.Diff([]string{"11", "10", "9", "8", "7", "6", "5", "4", "3", "2", "1", "0"}, ids); d != "" {
			t.Errorf("pages of an ordering key: -want +got\n%s", d)
		}
		dead := get("api/deliveries?state=dead&text=connection+REFUSED&since=1h").Deliveries
		if len(dead) != 1 || dead[0].ID != "0" {
			t.Fatalf("dead: %+v", dead)
		}
		near := get("api/neighbors?uid=" + dead[0].UID)
		if len(near.Newer) != 5 || near.Newer[0].ID != "5" || len(near.Older) != 0 {
			t.Errorf("neighbors: %+v", near)
		}
		if d := cmp.Diff(map[string]struct{ N int }{"dead": {1}, "waiting": {1}, "blocked": {10}}, get("api/overview").Count); d != "" {
			t.Errorf("counts: -want +got\n%s", d)
		}
		for _, page := range []string{"", "delivery?uid=" + dead[0].UID, "api/body?uid=" + dead[0].UID} {
			w := httptest.NewRecorder()
			inspector.ServeHTTP(w, httptest.NewRequest("GET", "/"+page, nil))
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d %s", page, w.Code, w.Body)
			}
		}
	})
}

// A selection is replayed once, oldest first.
func TestSelectionOfADatabase(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		inspector, err := inspect.New(in, func(http.ResponseWriter, *http.Request) (string, bool) { return "ann", true })
		must(t, err)
		defer inspector.Close()
		type run struct {
			State             string
			Replayed, Skipped int
			Selection         struct{ Before int64 }
		}
		call := func(method, page, body string, out any) {
			t.Helper()
			request := httptest.NewRequest(method, "/"+page, strings.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			inspector.ServeHTTP(w, request)
			if err := json.Unmarshal(w.Body.Bytes(), out); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s, %v", page, w.Code, w.Body, err)
			}
		}
		var uids []string
		for range 20 {
			d := delivery("key")
			put(t, in, d)
			must(t, in.Bury(t.Context(), d.UID, webhook.Note{By: "ann"}))
			uids = append(uids, d.UID)
		}
		var began run
		for n, want := range []int{20, 0} {
			var next run
			call("POST", "api/replays", fmt.Sprintf(`{"state":"dead","rate":100,"before":%d,"why":"a test"}`, began.Selection.Before), &next)
			if n == 0 {
				began = next
			}
			var list struct{ Replays []run }
			waitFor(t, "the replay of a selection has ended", func() bool {
				call("GET", "api/replays", "", &list)
				return list.Replays[0].State != "running"
			})
			if got := list.Replays[0]; got.State != "done" || got.Replayed != want || got.Skipped != 0 {
				t.Errorf("replay %d: %+v, want %d", n, got, want)
			}
		}
		last := int64(0)
		for _, uid := range uids {
			r, err := in.Get(t.Context(), uid)
			must(t, err)
			if len(r.Replays) != 1 || r.Replays[0].By != "ann" || r.Replays[0].Why != "a test" || r.Seq <= last {
				t.Errorf("replays %+v, and seq %d after %d", r.Replays, r.Seq, last)
			}
			last = r.Seq
		}
	})
}

// A list says which deliveries no signature proves, without their bodies.
func TestUnsignedOfADatabase(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		const why = "read from \"the API\" \u00e4"
		for _, why := range []string{"", why, ""} {
			d := delivery("key")
			d.Unsigned, d.Header = why, http.Header{"X-Trick": {`"unsigned":"forged"`}, "unsigned": {"x"}}
			put(t, in, d)
		}
		for _, f := range []webhook.Filter{{Unsigned: true}, {Unsigned: true, Source: "alpha"}, {Bodies: true}, {}} {
			var got []string
			for r, err := range in.All(t.Context(), f) {
				must(t, err)
				got = append(got, r.Delivery.Unsigned)
			}
			want := []string{"", why, ""}
			if !f.Unsigned && !f.Bodies {
				want[1] = ""
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%+v: -want +got\n%s", f, d)
			}
		}
	})
}
