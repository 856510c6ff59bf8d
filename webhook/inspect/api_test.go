package inspect_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestAListHasAFilterInItsURL(t *testing.T) {
	r := newRig(t)
	first := delivery("a", "{}")
	first.ReceivedAt = time.Now().Add(-3 * time.Hour)
	r.put(first)
	r.settle(webhook.Dead, "dial tcp: Connection refused")
	second := delivery("b", "{}")
	second.Source, second.Type, second.ID = "forge", "forge.push", "id 7"
	r.put(second)
	r.put(delivery("c", "{}"))
	for query, want := range map[string][]string{
		"":                                  {"c", "b", "a"},
		"source=forge":                      {"b"},
		"type=forge.push":                   {"b"},
		"id=id+7":                           {"b"},
		"key=a":                             {"a"},
		"state=dead":                        {"a"},
		"state=dead,waiting":                {"c", "b", "a"},
		"state=dead&state=done":             {"a"},
		"text=connection+REFUSED":           {"a"},
		"since=1h":                          {"c", "b"},
		"until=1h":                          {"a"},
		"until=2000-01-01":                  nil,
		"since=2000-01-01T10:00&limit=2":    {"c", "b"},
		"source=&type=&state=&text=&since=": {"c", "b", "a"}, // an empty form
		"source=nobody":                     nil,
		"source=shop&state=waiting&key=c":   {"c"},
	} {
		if d := cmp.Diff(want, decode[listed](t, r.get("api/deliveries?"+query)).keys()); d != "" {
			t.Errorf("%s: -want +got\n%s", query, d)
		}
	}
}

func TestAFilterThatCannotBeReadIsRefused(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		query  string
		status int
		text   string
	}{
		{"stat=dead", 400, `no parameter \"stat\"`},
		{"state=buried", 400, `state \"buried\" does not exist`},
		{"since=yesterday", 400, "since: "},
		{"since=-5m", 400, "since: "},
		{"since=99999d", 400, "since: "},
		{"until=1066-10-14", 400, "until: "},
		{"before=-1", 400, "before is"}, {"before=0", 400, "before is"}, {"before=99999999999999999999", 400, "before is"},
		{"limit=0", 400, "from 1 to 200"}, {"limit=201", 400, "from 1 to 200"}, {"limit=x", 400, "from 1 to 200"},
		{"type=a&type=b", 400, "type is there 2 times"},
		{"type=%00", 400, "type is no text"}, {"text=%ff%fe", 400, "text is no text"},
		{"text=%zz", 400, "cannot be read"}, {"a;b", 400, "cannot be read"},
		{"text=" + strings.Repeat("x", 513), 400, "text has 513 bytes; the limit is 512"},
		{"text=" + strings.Repeat("x", 10<<10), 414, "the query has 10245 bytes; the limit is 4096"},
	} {
		requireError(t, r.get("api/deliveries?"+tt.query), tt.status, tt.text)
	}
}

func TestPagesOfAListAreComplete(t *testing.T) {
	r := newRig(t)
	r.fill(25)
	var got []string
	for query, n := "api/deliveries?source=shop&limit=10", 0; ; n++ {
		l := decode[listed](t, r.get(query))
		got = append(got, l.keys()...)
		if l.Next == 0 || n == 5 {
			break
		}
		r.put(delivery("meanwhile", "{}")) // does not move what comes after
		query = fmt.Sprintf("api/deliveries?source=shop&limit=10&before=%d", l.Next)
	}
	var want []string
	for i := 24; i >= 0; i-- {
		want = append(want, fmt.Sprint(i))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestADeliveryByItself(t *testing.T) {
	r := newRig(t)
	d := delivery("order 7", `{"id":7}`)
	d.Header = http.Header{"Content-Type": {"application/json"}, "Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
	d.KeyLabel = "2026"
	r.put(d)
	r.settle(webhook.Dead, "no such order")
	if w := r.postJSON("api/replay", `{"uid":"`+d.UID+`","why":"it is there now"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	type full struct {
		UID, State, Key string
		KeyLabel        string `json:"key_label"`
		TraceID         string `json:"trace_id"`
		Size            int
		Header          http.Header
		Replays         []struct{ By, Why, Was string }
		Attempts        []struct {
			Number        int
			State, Reason string
		}
	}
	want := full{UID: d.UID, State: "waiting", Key: "order 7", KeyLabel: "2026", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Size: 8, Header: d.Header}
	want.Replays = append(want.Replays, struct{ By, Why, Was string }{"ann", "it is there now", "dead"})
	want.Attempts = append(want.Attempts, struct {
		Number        int
		State, Reason string
	}{1, "dead", "no such order"})
	if diff := cmp.Diff(want, decode[full](t, r.get("api/delivery?uid="+d.UID))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := decode[full](t, r.get("api/attempts?uid="+d.UID)); cmp.Diff(want.Attempts, got.Attempts) != "" {
		t.Errorf("attempts %+v", got.Attempts)
	}
}

func TestOverview(t *testing.T) {
	r := newRig(t)
	r.put(delivery("", "{}"))
	r.settle(webhook.Dead, "")
	r.put(delivery("", "{}"))
	if w := r.postJSON("api/pause", `{"type":"shop.order","why":"the shop is closed"}`); w.Code != 200 {
		t.Fatal(w.Body)
	}
	type numbers struct {
		Count     map[string]struct{ N int }
		Oldest    map[string]float64 `json:"oldest_seconds"`
		Unhandled []string
		Paused    []struct{ Type, By, Why string }
	}
	got := decode[numbers](t, r.get("api/overview"))
	if len(got.Oldest) != 1 {
		t.Errorf("oldest %v", got.Oldest)
	}
	got.Oldest = nil
	want := numbers{
		Count: map[string]struct{ N int }{"dead": {1}, "waiting": {1}}, Unhandled: []string{},
		Paused: []struct{ Type, By, Why string }{{"shop.order", "ann", "the shop is closed"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestABodyIsAFileAndNeverAPage(t *testing.T) {
	r := newRig(t)
	for name, body := range map[string]string{
		"script": "<html><script>alert(1)</script>", "bytes": "\x00\xff\xfe\x1b[2J", "empty": "", "large": strings.Repeat("x", 25<<20),
	} {
		d := delivery("", body)
		d.UID = `../"` + name + "\r\nX-Evil: 1\x1b"
		d.Header = http.Header{"Content-Type": {"text/html"}}
		r.put(d)
		w := r.get("api/body?uid=" + url.QueryEscape(d.UID))
		if !bytes.Equal(w.Body.Bytes(), []byte(body)) || w.Code != 200 {
			t.Errorf("%s: %d, and %d bytes", name, w.Code, w.Body.Len())
		}
		want := map[string]string{
			"Content-Type": "application/octet-stream", "Content-Disposition": "attachment; filename=delivery-____" + name + "__X-Evil__1_.body",
			"Content-Length": fmt.Sprint(len(body)), "X-Content-Type-Options": "nosniff", "X-Evil": "",
		}
		for header, value := range want {
			if got := w.Header().Get(header); got != value {
				t.Errorf("%s: %s is %q, want %q", name, header, got, value)
			}
		}
		head := r.serve(httptest.NewRequest("HEAD", "/debug/hooks/api/body?uid="+url.QueryEscape(d.UID), nil))
		if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(body)) {
			t.Errorf("%s: HEAD: %d, %v", name, head.Code, head.Header())
		}
	}
}
