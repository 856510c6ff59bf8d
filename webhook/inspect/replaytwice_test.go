package inspect_test

import (
	"fmt"
	"net/url"
	"regexp"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// A form that is sent twice, by a double click or a reload, must not replay a delivery
// again whose replay has run meanwhile.
func TestAFormThatIsSentTwiceReplaysOnce(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("key", "{}"))
	r.settle(webhook.Dead, "")
	form := url.Values{"why": {"a test"}}
	for _, field := range regexp.MustCompile(`type="hidden" name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(r.get("act?act=replay&uid="+d.UID).Body.String(), -1) {
		form.Set(field[1], field[2])
	}
	for i, want := range []int{303, 409, 409} {
		if w := r.postForm(form, nil); w.StatusCode != want {
			t.Errorf("form %d: %d, want %d", i, w.StatusCode, want)
		}
		if i == 0 {
			r.settle(webhook.Done, "")
		}
	}
	if s := r.state(d); s != webhook.Done {
		t.Errorf("it is %s: it was replayed twice", s)
	}
}

// The API takes the seq that a list has, and does without.
func TestAReplayOfARun(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("key", "{}"))
	r.settle(webhook.Dead, "")
	rec, err := r.inbox.Get(t.Context(), d.UID)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		act, seq string
		want     int
	}{
		{"replay", fmt.Sprint(rec.Seq + 1), 409}, {"replay", "-1", 400}, {"replay", `"x"`, 400}, {"bury", fmt.Sprint(rec.Seq), 400},
		{"replay", "9223372036854775807", 400}, {"replay", fmt.Sprint(rec.Seq), 200}, {"replay", "0", 409},
	} {
		if w := r.postJSON("api/"+tt.act, `{"uid":"`+d.UID+`","why":"a test","seq":`+tt.seq+`}`); w.Code != tt.want {
			t.Errorf("%s of seq %s: %d %s, want %d", tt.act, tt.seq, w.Code, w.Body, tt.want)
		}
	}
	r.settle(webhook.Done, "")
	if w := r.postJSON("api/replay", `{"uid":"`+d.UID+`","why":"a test"}`); w.Code != 200 {
		t.Errorf("without a seq: %d %s", w.Code, w.Body)
	}
	form := url.Values{"act": {"replay"}, "uid": {d.UID}, "seq": {"x"}, "why": {"a test"}}
	if w := r.postForm(form, nil); w.StatusCode != 400 {
		t.Errorf("a form whose seq is no number: %d", w.StatusCode)
	}
}
