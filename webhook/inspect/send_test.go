package inspect_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// What is sent verifies with the verifier of each sender, and with no other key.
func TestWhatIsSentVerifies(t *testing.T) {
	secret := webhook.NewSecret(testSecret)
	standard := func(text string) webhook.Source {
		return webhook.Source{Name: "shop", Verifier: &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(text))}}
	}
	wrong := webhook.NewSecret("another")
	for _, tt := range []struct {
		key, path     string
		right, others webhook.Source
		body          []byte
	}{
		{"github", "/", github.Source(secret), github.Source(wrong), webhooktest.GitHubPush()},
		{"jobserv", "/", jobserv.Source(secret), jobserv.Source(wrong), webhooktest.JobServBuild()},
		{"dockerhub", "/{token}", dockerhub.Source(secret), dockerhub.Source(wrong), webhooktest.DockerHubPush()},
		{"dockerhub", "/?token=x", dockerhub.Source(secret), dockerhub.Source(wrong), webhooktest.DockerHubPush()},
		{"dockerhub", "/", dockerhub.BasicSource(secret), dockerhub.BasicSource(wrong), webhooktest.DockerHubPush()},
		{"kudu", "/{token}", kudu.Source(secret), kudu.Source(wrong), webhooktest.KuduDeployment()},
		{"kudu", "/", kudu.BasicSource(secret), kudu.BasicSource(wrong), webhooktest.KuduDeployment()},
		{"standard", "/", standard(standardText), standard("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), []byte(`{"id":7}`)},
	} {
		r := newSendRig(t)
		for source, want := range map[*webhook.Source]int{&tt.right: 200, &tt.others: 401} {
			mux := http.NewServeMux()
			h := source.Middleware(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				d, _ := webhook.DeliveryFromContext(q.Context())
				_ = json.NewEncoder(w).Encode([]string{d.Type, d.ID}) // the caller has gone
			}))
			mux.Handle("/{$}", h)
			mux.Handle("/{token}", h)
			to := newTarget(t, mux)
			got := decode[answer](t, r.send(sendBody{"key": tt.key, "url": to.URL + tt.path, "body": string(tt.body)}))
			if got.Status != want || got.Sent != len(tt.body) || to.requests()[0].body != string(tt.body) {
				t.Errorf("%s to %s: %+v, want %d", tt.key, tt.path, got, want)
			}
			if want == 200 && tt.key == "github" && got.Body != `["github.push","`+got.ID+"\"]\n" {
				t.Errorf("github: the receiver read %s", got.Body)
			}
		}
		requireNoSecret(t, tt.key+": the acts", r.get("api/acts").Body.String(), nil)
		requireNoSecret(t, tt.key+": the log", r.log.String(), nil)
	}
}

// A stored delivery is sent with its event, its kind and its bytes, and a new ID.
func TestAStoredDeliveryIsSentAgain(t *testing.T) {
	r := newSendRig(t)
	to := newTarget(t, github.Source(webhook.NewSecret(testSecret)).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) })))
	const form = "payload=%7B%22zen%22%3A%22x%22%7D"
	d := delivery("", form)
	d.ID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	d.Header = http.Header{"X-Github-Event": {"ping"}, "X-Github-Delivery": {d.ID}, "Content-Type": {"application/x-www-form-urlencoded"}, "X-Hub-Signature-256": {"sha256=old"}}
	r.put(d)
	for _, keep := range []bool{false, true} {
		got := decode[answer](t, r.send(sendBody{"key": "github", "url": to.URL, "uid": d.UID, "keep_id": keep}))
		if got.Status != 201 || (got.ID == d.ID) != keep {
			t.Errorf("keep %t: %+v", keep, got)
		}
	}
	for _, q := range to.requests() {
		if q.body != form || q.header.Get("X-GitHub-Event") != "ping" || q.header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(q.header["X-Hub-Signature-256"]) != 1 {
			t.Errorf("sent %+v", q)
		}
	}
	got := decode[answer](t, r.send(sendBody{"key": "github", "url": to.URL, "uid": d.UID, "body": `{"a":1}`, "event": "push", "content_type": "application/json"}))
	last := to.requests()[2]
	if got.Status != 201 || last.body != `{"a":1}` || last.header.Get("X-GitHub-Event") != "push" || last.header.Get("Content-Type") != "application/json" {
		t.Errorf("edited: %+v, sent %+v", got, last)
	}
	acts := r.acted()
	if len(acts) != 3 || acts[0].UID != d.UID || acts[0].Of != "to "+to.URL+" with the key github" || acts[0].By != "ann" || acts[0].Why != "a test" || !strings.HasPrefix(acts[0].Result, "201 in ") {
		t.Errorf("%+v", acts)
	}
	large := r.put(delivery("", strings.Repeat("\xff\x00\r", 25<<20/3)))
	if got := decode[answer](t, r.send(sendBody{"key": "jobserv", "url": to.URL, "uid": large.UID})); got.Status != 401 || to.requests()[3].body != string(large.Body) {
		t.Errorf("25 MB: %+v", got)
	}
}

// By its pages, without script: a body comes back from the form as it was, or as edited.
func TestSendingByItsPages(t *testing.T) {
	r := newSendRig(t)
	to := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Name", "<script>")
		_, _ = w.Write([]byte("<script>alert(1)</script>\x1b[2J"))
	}))
	d := delivery("", "\n{\n\t\"name\": \"</textarea><script>\"\n}\n")
	d.ID = "id 7"
	r.put(d)
	if page := r.get("delivery?uid=" + d.UID).Body.String(); !strings.Contains(page, `href="send?uid=`+d.UID) {
		t.Errorf("no link on %s", page)
	}
	page := r.get("send?uid=" + d.UID).Body.String()
	for _, want := range []string{`<option value="kudu">`, "127.0.0.1", `name="keep"`, "\n\n{\n\t&#34;name&#34;: &#34;&lt;/textarea&gt;&lt;script&gt;&#34;\n}\n</textarea>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	requireNoSecret(t, "the page", page, nil)
	form := hidden(page)
	form.Set("key", "standard")
	form.Set("url", to.URL)
	form.Set("event", "")
	form.Set("why", "a test")
	form.Set("body", strings.ReplaceAll(string(d.Body), "\n", "\r\n"))
	form.Set("keep", "1")
	w := r.post("send", form)
	if got := to.requests(); len(got) != 1 || got[0].body != string(d.Body) || got[0].header.Get("Webhook-Id") != "id 7" {
		t.Fatalf("%d %s: sent %+v", w.Code, w.Body, got)
	}
	for _, want := range []string{"<strong>200</strong>", "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J", "<td>X-Name</td><td>&lt;script&gt;</td>", "with the ID id 7", "delivery?uid=" + d.UID} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
	requireNoSecret(t, "the answer", w.Body.String(), to.requests())
	for _, body := range []string{"\r\n", "\x00", "\xff", "\x1b", "\u202e", strings.Repeat("x", 256<<10+1)} {
		d := r.put(delivery("", body))
		page := r.get("send?uid=" + d.UID).Body.String()
		if strings.Contains(page, "<textarea") || !strings.Contains(page, "is sent as stored") {
			t.Errorf("%.10q can be edited", body)
		}
		form := url.Values{"key": {"jobserv"}, "url": {to.URL}, "uid": {d.UID}, "why": {"x"}}
		if w := r.post("send", form); w.Code != 200 || to.requests()[len(to.requests())-1].body != body {
			t.Errorf("%.10q: %d", body, w.Code)
		}
	}
	if page := r.get("send").Body.String(); !strings.Contains(page, "<textarea") || !strings.Contains(r.get("").Body.String(), `href="send"`) {
		t.Errorf("without a delivery: %s", page)
	}
}
