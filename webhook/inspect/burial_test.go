package inspect_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A burial is what the tests read of the burial of a selection.
type burial struct {
	ID              int64
	Act, State      string
	Buried, Skipped int
	Faults          []struct{ UID, Error string }
	Selection       struct {
		State  string
		Before int64
	}
}

func (r *rig) burials() []burial {
	r.t.Helper()
	return decode[struct{ Burials []burial }](r.t, r.get("api/burials")).Burials
}

// states returns the states of deliveries.
func (r *rig) states(list []*webhook.Delivery) (all []webhook.State) {
	for _, d := range list {
		all = append(all, r.state(d))
	}
	return all
}

// Those that wait become dead letters at a rate, oldest first, with who and why. What is claimed
// or finished stays as it is, and what arrives later is not touched.
func TestASelectionIsBuried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		finished := r.dead(2)
		claimed := r.put(delivery("key", "{}"))
		if claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{}); err != nil || len(claims) != 1 {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		blocked := r.put(delivery("key", "{}"))
		var list []*webhook.Delivery
		for i := range 9 {
			list = append(list, r.put(delivery(fmt.Sprint(i), "{}")))
		}
		began := decode[burial](t, r.postJSON("api/burials", `{"type":"shop.order","why":"a broken commit"}`))
		if began.Act != "bury" || began.State != "running" || began.Selection.State != "waiting,blocked" {
			t.Errorf("it begins as %+v", began)
		}
		later := r.put(delivery("later", "{}"))
		requireError(t, r.postJSON("api/replays", `{"type":"shop.order","why":"x"}`), 409, "another selection is being buried")
		time.Sleep(time.Second + 100*time.Millisecond) // at 5 a second
		synctest.Wait()
		if got := r.states(list[:5]); r.state(blocked) != webhook.Dead || !slices.Equal(got, []webhook.State{"dead", "dead", "dead", "dead", "waiting"}) {
			t.Errorf("after a second: blocked is %s, %v", r.state(blocked), got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if run := r.burials()[0]; run.State != "done" || run.Buried != 10 || run.Skipped != 0 || len(r.runs()) != 0 {
			t.Errorf("at the end: %+v, and %d replays", run, len(r.runs()))
		}
		if r.state(claimed) != webhook.Claimed || r.state(later) != webhook.Waiting || r.state(finished[0]) != webhook.Dead {
			t.Errorf("claimed is %s, later %s", r.state(claimed), r.state(later))
		}
		rec, err := r.inbox.Get(t.Context(), list[0].UID)
		if err != nil || !strings.Contains(rec.Reason, "ann") || !strings.Contains(rec.Reason, "a broken commit") {
			t.Errorf("%v, the reason is %q", err, rec.Reason)
		}
		if acts := r.acted(); acts[0].Act != "bury a selection" || acts[0].By != "ann" || acts[0].Result != "done: 10 buried, 0 skipped" {
			t.Errorf("the acts: %+v", acts)
		}
	})
}

// Somebody else claims, replays or deletes what was selected, before its turn comes.
func TestABurialSkipsWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var list []*webhook.Delivery
		for i := range 4 {
			list = append(list, r.put(delivery(fmt.Sprint(i), "{}")))
		}
		began := decode[burial](t, r.postJSON("api/burials", `{"type":"shop.order","rate":1,"why":"x"}`))
		time.Sleep(1500 * time.Millisecond) // the first one is buried, and the others are read
		note := webhook.Note{By: "bob"}
		claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil || len(claims) != 1 || claims[0].Delivery.UID != list[1].UID {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		if err := r.inbox.Bury(t.Context(), list[2].UID, note); err != nil {
			t.Fatal(err)
		}
		if _, err := r.inbox.Replay(t.Context(), webhook.Filter{UID: list[2].UID}, note); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		run := r.burials()[0]
		if run.ID != began.ID || run.State != "done" || run.Buried != 2 || run.Skipped != 2 || len(run.Faults) != 2 {
			t.Fatalf("%+v", run)
		}
		if run.Faults[0].UID != list[1].UID || !strings.Contains(run.Faults[0].Error, "claimed") || !strings.Contains(run.Faults[1].Error, "replayed") {
			t.Errorf("the faults are %+v", run.Faults)
		}
		if got := r.states(list); !slices.Equal(got, []webhook.State{"dead", "claimed", "waiting", "dead"}) {
			t.Errorf("the states are %v", got)
		}
	})
}

// Without script: the list offers it for what can be buried, asks, needs why, and shows it.
func TestABurialByItsPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.fill(3)
		link := regexp.MustCompile(`href="(select\?[^"]*)">Bury all that match…`)
		if page := r.get("?state=dead").Body.String(); link.MatchString(page) || !strings.Contains(page, "Replay all that match") {
			t.Errorf("a list of dead ones: %s", page)
		}
		page := r.get("?state=waiting").Body.String()
		found := link.FindStringSubmatch(page)
		if found == nil || strings.Contains(page, "Replay all that match") || !strings.Contains(page, `name="act" value="bury"`) {
			t.Fatalf("a list of waiting ones: %s", page)
		}
		asked := r.get(strings.ReplaceAll(found[1], "&amp;", "&")).Body.String()
		for _, want := range []string{"<h1>Bury a selection</h1>", "3 waiting or blocked deliveries match", "They become dead letters", "<button>Bury</button>"} {
			if !strings.Contains(asked, want) {
				t.Errorf("no %q in %s", want, asked)
			}
		}
		form := hidden(asked)
		if w := r.post("replays", form); w.Code != 400 || !strings.Contains(w.Body.String(), "why is missing") {
			t.Errorf("without why: %d %s", w.Code, w.Body)
		}
		form.Set("why", "a test")
		crossSite := r.request("POST", "replays", form.Encode())
		crossSite.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		crossSite.Header.Set("Sec-Fetch-Site", "cross-site")
		if w := r.serve(crossSite); w.Code != 403 {
			t.Errorf("from another site: %d", w.Code)
		}
		if w := r.post("replays", form); w.Code != 303 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if page := r.get("replays").Body.String(); !strings.Contains(page, "3 of 3 buried, 0 skipped, at 5 a second") {
			t.Errorf("the page of them: %s", page)
		}
		d := r.put(delivery("chosen", "{}"))
		all := decode[listed](t, r.get("api/deliveries"))
		asked = r.post("select", url.Values{"act": {"bury"}, "seqs": {fmt.Sprint(all.Deliveries[0].Seq), fmt.Sprint(all.Deliveries[1].Seq)}}).Body.String()
		if !strings.Contains(asked, "2 deliveries are chosen. Those that a worker has claimed") {
			t.Fatal(asked)
		}
		form = hidden(asked)
		form.Set("why", "chosen")
		r.post("replays", form)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if run := r.burials()[0]; run.Buried != 1 || run.Skipped != 1 || r.state(d) != webhook.Dead {
			t.Errorf("%+v, and it is %s", run, r.state(d))
		}
	})
}

// What must not be done is refused, and a burial can be stopped.
func TestABurialIsRefusedOrStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for body, want := range map[string]string{
			`{"why":"x"}`: "selects all deliveries", `{"state":"dead","why":"x"}`: "only deliveries that wait can be buried", `{"state":"claimed","why":"x"}`: "only deliveries that wait",
			`{"state":"waiting"}`: "why is missing", `{"state":"waiting","why":"x","rate":101}`: "from 1 to 100",
		} {
			requireError(t, r.postJSON("api/burials", body), 400, want)
		}
		requireError(t, r.get("select?act=drop&state=waiting"), 400, "it must be replay or bury")
		r.fill(10)
		began := decode[burial](t, r.postJSON("api/burials", `{"state":"waiting","why":"x"}`))
		time.Sleep(time.Second + 50*time.Millisecond)
		decode[any](t, r.postJSON("api/burials/stop", fmt.Sprintf(`{"id":%d,"why":"enough"}`, began.ID)))
		synctest.Wait()
		if run := r.burials()[0]; run.State != "stopped" || run.Buried != 5 {
			t.Errorf("%+v", run)
		}
		if page := r.get("replays").Body.String(); !strings.Contains(page, "Bury the rest") || !strings.Contains(page, "act=bury") {
			t.Errorf("the rest is not offered: %s", page)
		}
		if acts := r.acted(); !slices.ContainsFunc(acts, func(a acted) bool { return a.Act == "stop a burial" && a.Why == "enough" }) {
			t.Errorf("the acts: %+v", acts)
		}
		r.ReadOnly = true
		requireError(t, r.postJSON("api/burials", `{"state":"waiting","why":"x"}`), 403, "read-only")
	})
}
