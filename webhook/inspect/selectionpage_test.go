package inspect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// post sends a form to a page as a browser does.
func (r *rig) post(page string, form url.Values) *httptest.ResponseRecorder {
	request := r.request("POST", page, form.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return r.serve(request)
}

var hiddenField = regexp.MustCompile(`type="hidden" name="(\w+)" value="([^"]*)"`)

// hidden returns the hidden fields of a page with one form.
func hidden(page string) url.Values {
	form := make(url.Values)
	for _, f := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Add(f[1], f[2])
	}
	return form
}

// From the list to its end, without script: a filter, what it selects, and a stop.
func TestASelectionByItsPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(12)
		if page := r.get("").Body.String(); strings.Contains(page, "Replay all that match") || !strings.Contains(page, `name="seqs"`) {
			t.Errorf("a list without a filter: %s", page)
		}
		link := regexp.MustCompile(`href="(select\?[^"]*)"`).FindStringSubmatch(r.get("?state=dead&since=1h&limit=5").Body.String())
		if link == nil || strings.Contains(link[1], "limit") {
			t.Fatalf("the link is %q", link)
		}
		asked := r.get(strings.ReplaceAll(link[1], "&amp;", "&")).Body.String()
		if !strings.Contains(asked, "12 finished deliveries match") || !strings.Contains(asked, `name="why" required`) {
			t.Fatalf("the page that asks: %s", asked)
		}
		form := hidden(asked)
		form.Set("why", "<b>a test</b>")
		form.Set("rate", "2")
		for i, want := range []int{303, 409} {
			if w := r.post("replays", form); w.Code != want || want == 303 && w.Header().Get("Location") != "replays" {
				t.Errorf("form %d: %d %v", i, w.Code, w.Header())
			}
		}
		time.Sleep(2100 * time.Millisecond)
		synctest.Wait()
		page := r.get("replays").Body.String()
		for _, want := range []string{"Selection 1: running", "4 of 12 replayed, 0 skipped, at 2 a second", "&lt;b&gt;a test&lt;/b&gt;", `action="stop"`} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q in %s", want, page)
			}
		}
		stop := hidden(page)
		stop.Set("why", "enough")
		for i, want := range []int{303, 409} {
			if w := r.post("stop", stop); w.Code != want {
				t.Errorf("stop %d: %d %s", i, w.Code, w.Body)
			}
			synctest.Wait()
		}
		page = r.get("replays").Body.String()
		rest := regexp.MustCompile(`href="(select\?[^"]*)">Replay the rest`).FindStringSubmatch(page)
		if rest == nil || !strings.Contains(page, "stopped by ann: enough") {
			t.Fatalf("after the stop: %s", page)
		}
		asked = r.get(strings.ReplaceAll(rest[1], "&amp;", "&")).Body.String()
		if !strings.Contains(asked, "8 finished deliveries match") {
			t.Errorf("the rest: %s", asked)
		}
		form = hidden(asked)
		form.Set("why", "the rest")
		r.post("replays", form)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := r.replays(list); got != ones(12) {
			t.Errorf("replayed %s", got)
		}
		if acts := r.get("acts").Body.String(); !strings.Contains(acts, "done: 8 replayed, 0 skipped") || !strings.Contains(acts, "stopped: 4 replayed, 0 skipped: stopped by ann: enough") {
			t.Errorf("the acts: %s", acts)
		}
	})
}

func TestChosenDeliveriesAreReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := r.dead(5)
		waits := r.put(delivery("waits", "{}"))
		boxes := regexp.MustCompile(`type="checkbox" name="seqs" value="(\d+)"`).FindAllStringSubmatch(r.get("").Body.String(), -1)
		if len(boxes) != 6 {
			t.Fatalf("%d boxes", len(boxes))
		}
		form := url.Values{"seqs": {boxes[0][1], boxes[2][1], boxes[4][1], boxes[2][1]}} // the newest waits
		asked := r.post("select", form)
		if asked.Code != 200 || !strings.Contains(asked.Body.String(), "3 deliveries are chosen") {
			t.Fatalf("%d %s", asked.Code, asked.Body)
		}
		form = hidden(asked.Body.String())
		form.Set("why", "chosen")
		for i := range 2 {
			if w := r.post("replays", form); w.Code != 303 {
				t.Errorf("form %d: %d %s", i, w.Code, w.Body)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		if got := r.replays(list); got != "01010" {
			t.Errorf("replayed %s", got)
		}
		if run := r.runs()[1]; run.State != "done" || run.Replayed != 2 || run.Skipped != 1 || r.state(waits) != "waiting" {
			t.Errorf("%+v", run)
		}
	})
}

func TestASelectionThatCannotBeReadIsRefused(t *testing.T) {
	r := newRig(t)
	r.dead(2)
	var many []string
	for i := range 201 {
		many = append(many, fmt.Sprint(i+1))
	}
	for _, tt := range []struct {
		body   string
		status int
		text   string
	}{
		{`{"why":"x"}`, 400, "selects all"},
		{`{"before":5,"why":"x"}`, 400, "selects all"},
		{`{"state":"waiting","why":"x"}`, 400, "only finished"},
		{`{"state":"buried","why":"x"}`, 400, "does not exist"},
		{`{"state":"dead"}`, 400, "why is missing"},
		{`{"state":"dead","why":"x","by":"bob"}`, 400, "recorded by"},
		{`{"state":"dead","why":"x","rate":101}`, 400, "from 1 to 100"},
		{`{"state":"dead","why":"x","rate":-1}`, 400, "from 1 to 100"},
		{`{"state":"dead","why":"x","before":-1}`, 400, "before is"},
		{`{"state":"dead","why":"x","limit":5}`, 400, "no JSON object"},
		{`{"type":"` + strings.Repeat("x", 513) + `","why":"x"}`, 400, "limit is 512"},
		{`{"type":"\u0000","why":"x"}`, 400, "type is no text"},
		{`{"since":"yesterday","why":"x"}`, 400, "since: "},
		{`{"seqs":[1],"state":"dead","why":"x"}`, 400, "not both"},
		{`{"seqs":[1],"before":1,"why":"x"}`, 400, "not both"},
		{`{"seqs":[0],"why":"x"}`, 400, "not the seq"},
		{`{"seqs":[99],"why":"x"}`, 400, "not the seq"},
		{`{"seqs":[` + strings.Join(many, ",") + `],"why":"x"}`, 400, "the limit is 200"},
	} {
		requireError(t, r.postJSON("api/replays", tt.body), tt.status, tt.text)
	}
	for _, body := range []string{`{"why":"x"}`, `{"id":-1,"why":"x"}`} {
		requireError(t, r.postJSON("api/replays/stop", body), 400, "id is")
	}
	requireError(t, r.postJSON("api/replays/stop", `{"id":1,"why":"x"}`), 409, "does not run")
	requireError(t, r.post("select", nil), 400, "no delivery is chosen")
	requireError(t, r.post("replays", url.Values{"state": {"dead"}, "rate": {"0"}, "why": {"x"}}), 400, "rate is")
	requireError(t, r.post("replays", url.Values{"state": {"dead"}, "force": {"1"}, "why": {"x"}}), 400, "no parameter")
	requireError(t, r.get("select?state=dead&rate=1"), 400, "no parameter")
	if runs := r.runs(); len(runs) != 0 {
		t.Errorf("%+v", runs)
	}
	request := r.request("POST", "api/replays", `{"state":"dead","why":"forged"}`)
	request.Header = http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"cross-site"}}
	requireError(t, r.serve(request), 403, "another site")
	r.ReadOnly = true
	requireError(t, r.postJSON("api/replays", `{"state":"dead","why":"x"}`), 403, "read-only")
	requireError(t, r.postJSON("api/replays/stop", `{"id":1,"why":"x"}`), 403, "read-only")
	requireError(t, r.get("select?state=dead"), 403, "read-only")
	if page := r.get("?state=dead").Body.String(); strings.Contains(page, "Replay") && strings.Contains(page, "select?") || strings.Contains(page, `name="seqs"`) {
		t.Errorf("a list that is read-only: %s", page)
	}
}
