package inspect_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dnstest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

func TestURLsThatMayNotBeCalledAreRefused(t *testing.T) {
	r := newSendRig(t)
	to := newTarget(t, nil)
	_, port, err := net.SplitHostPort(to.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	names := &dnstest.Names{Answers: map[string][][]string{
		"public.example": {{"93.184.215.14"}}, "private.example": {{"127.0.0.1"}}, "mapped.example": {{"::ffff:127.0.0.1"}},
		"rebound.example": {{"93.184.215.14"}, {"127.0.0.1"}}, "other.example": {{"93.184.215.14"}},
	}}
	r.Send.Hosts = []string{"public.example", "private.example", "mapped.example", "rebound.example", "missing.example", "127.0.0.1", "localhost", "169.254.169.254", "[::1]", "::1"}
	r.Send.Guard.Allow, r.Send.Guard.Resolver = nil, names.Resolver()
	for _, tt := range []struct {
		url    string
		status int
		text   string
	}{
		{"", 400, "is no URL"}, {"/hooks", 400, "is no URL"}, {"//public.example/", 400, "not absolute"}, {"file:///etc/passwd", 400, "is no URL"},
		{"file://public.example/etc/passwd", 400, "scheme"}, {"gopher://public.example/", 400, "scheme"}, {"javascript:alert(1)", 400, "is no URL"},
		{"http://bob:" + planted + "@public.example/", 400, "user name or a password"}, {"http://public.example:22/", 400, "the port 22"},
		{"http://public.example/#x", 400, "fragment"}, {"http://public.example/\r\nX-Evil: 1", 400, "is no URL"}, {"http://public.example/" + strings.Repeat("x", 2048), 400, "2048"},
		{"http://public.example@other.example/" + planted, 403, "may not be called"}, {"http://other.example/public.example", 403, "may not be called"},
		{"http://other.example?public.example", 403, "may not be called"}, {`http://other.example\@public.example/`, 400, "is no URL"},
		{"http://public.example.other.example/", 403, "may not be called"}, {"http://public.example./", 403, "may not be called"},
		{"http://private.example:" + port, 403, "address"}, {"http://mapped.example:" + port, 403, "address"}, {"http://rebound.example:" + port, 403, "address"},
		{"http://127.0.0.1:" + port, 403, "address"}, {"http://[::1]:" + port, 403, "address"}, {"http://169.254.169.254/latest/meta-data", 403, "address"},
		{"http://2130706433/", 403, "may not be called"}, {"http://missing.example/", 502, "not found"},
	} {
		w := r.send(sendBody{"key": "github", "url": tt.url, "body": "{}"})
		requireError(t, w, tt.status, tt.text)
		if strings.Contains(w.Body.String(), planted) || strings.Contains(w.Body.String(), "127.0.0.1:") {
			t.Errorf("%s: %s", tt.url, w.Body)
		}
	}
	if got := to.requests(); len(got) != 0 {
		t.Errorf("%d requests arrived", len(got))
	}
	if strings.Contains(r.log.String(), planted) {
		t.Errorf("the log: %s", &r.log)
	}
	r.Send.Hosts = []string{"*"}
	requireError(t, r.send(sendBody{"key": "github", "url": "http://private.example:" + port, "body": "{}"}), 403, "address")
	if page := r.get("send").Body.String(); !strings.Contains(page, "Every public host may be called") {
		t.Errorf("all hosts: %s", page)
	}
	r.Send.Hosts = nil
	requireError(t, r.send(sendBody{"key": "github", "url": "http://public.example/", "body": "{}"}), 403, "may not be called")
}

func TestARedirectIsShownAndNotFollowed(t *testing.T) {
	r := newSendRig(t)
	private := newTarget(t, nil)
	to := newTarget(t, http.RedirectHandler(private.URL+"/"+planted, http.StatusTemporaryRedirect))
	w := r.send(sendBody{"key": "github", "url": to.URL, "body": "{}"})
	if got := decode[answer](t, w); got.Status != 307 || got.Header.Get("Location") == "" || len(private.requests()) != 0 {
		t.Errorf("%+v, and %d requests", got, len(private.requests()))
	}
	if strings.Contains(w.Body.String(), `Location":["`+private.URL+"/"+planted) {
		t.Errorf("the path is shown: %s", w.Body)
	}
}

func TestBadInputIsNotSent(t *testing.T) {
	r := newSendRig(t)
	to := newTarget(t, nil)
	d := r.put(delivery("", "{}"))
	for _, tt := range []struct {
		change sendBody
		status int
		text   string
	}{
		{sendBody{"event": "push\r\nX-Evil: 1"}, 400, "event must have"}, {sendBody{"content_type": "text/plain\r\nX-Evil: 1"}, 400, "content_type must have"},
		{sendBody{"content_type": "text/"}, 400, "cannot be sent"}, {sendBody{"event": strings.Repeat("x", 201)}, 400, "event must have"},
		{sendBody{"key": "nobody"}, 400, "no key"}, {sendBody{"key": nil}, 400, "no key"}, {sendBody{"why": ""}, 400, "why is missing"}, {sendBody{"by": "bob"}, 400, "recorded by"},
		{sendBody{"body": nil}, 400, "body or uid is missing"}, {sendBody{"uid": "nobody"}, 404, "no such delivery"}, {sendBody{"uid": "\x00"}, 400, "uid is no text"},
		{sendBody{"keep_id": true}, 400, "no delivery whose ID"}, {sendBody{"keep_id": true, "uid": d.UID}, 400, "no ID that could be kept"},
		{sendBody{"body": strings.Repeat("x", 256<<10+1)}, 400, "the limit is 262144"}, {sendBody{"body": strings.Repeat("x", 25<<20)}, 413, "larger than"}, {sendBody{"header": "x"}, 400, "no JSON object"},
	} {
		body := sendBody{"key": "github", "url": to.URL, "body": "{}", "why": "x"}
		for name, value := range tt.change {
			if body[name] = value; value == nil {
				delete(body, name)
			}
		}
		requireError(t, r.send(body), tt.status, tt.text)
	}
	form := url.Values{"key": {"github"}, "url": {to.URL}, "body": {strings.Repeat("x", 25<<20)}, "why": {"x"}}
	requireError(t, r.post("send", form), 413, "larger than")
	request := r.request("POST", "send", url.Values{"key": {"github"}, "url": {to.URL}, "body": {"{}"}, "why": {"forged"}}.Encode())
	request.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"https://evil.example"}}
	requireError(t, r.serve(request), 403, "another site")
	r.ReadOnly = true
	requireError(t, r.send(sendBody{"key": "github", "url": to.URL, "body": "{}"}), 403, "read-only")
	if page := r.get("delivery?uid=" + d.UID).Body.String(); strings.Contains(page, `href="send`) || r.get("send").Code != 403 {
		t.Errorf("read-only: %s", page)
	}
	r.ReadOnly, r.Send = false, nil
	for _, page := range []string{"send", "delivery?uid=" + d.UID} {
		if body := r.get(page).Body.String(); strings.Contains(body, `href="send`) || page == "send" && !strings.Contains(body, "no such page") {
			t.Errorf("nobody can send: %s", body)
		}
	}
	requireError(t, r.send(sendBody{"key": "github", "url": to.URL, "body": "{}"}), 404, "no such page")
	if got := to.requests(); len(got) != 0 {
		t.Errorf("%d requests arrived", len(got))
	}
}

// A target that hangs is given up, holds up two at most, and is sent to when its viewer leaves.
func TestATargetThatHangs(t *testing.T) {
	r := newSendRig(t)
	arrived, release := make(chan struct{}, 3), make(chan struct{})
	to := newTarget(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	r.Send.Timeout = time.Minute
	text := `{"key":"github","url":"` + to.URL + `","body":"{}","why":"x"}`
	ended := make(chan int, 2)
	left, leave := context.WithCancelCause(t.Context())
	for range 2 {
		go func() {
			request := r.request("POST", "api/send", text).WithContext(left)
			request.Header.Set("Content-Type", "application/json")
			ended <- r.serve(request).Code
		}()
		<-arrived
	}
	requireError(t, r.postJSON("api/send", text), 503, "others are sending")
	leave(errors.New("gone"))
	close(release)
	for range 2 {
		if code := <-ended; code != 200 {
			t.Errorf("a viewer who left: %d", code)
		}
	}
	if acts := r.acted(); len(acts) != 2 || !strings.HasPrefix(acts[0].Result, "200 in ") {
		t.Errorf("%+v", acts)
	}
	hangs := newTarget(t, http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }))
	r.Send.Timeout = 20 * time.Millisecond
	requireError(t, r.send(sendBody{"key": "github", "url": hangs.URL, "body": "{}"}), 504, "no answer in time")
	if acts := r.acted(); acts[0].Error != "there was no answer in time" {
		t.Errorf("%+v", acts[0])
	}
}

func TestAKeyThatCannotBeUsedIsAFault(t *testing.T) {
	secret := webhook.NewSecret(testSecret)
	for text, keys := range map[string][]inspect.TestKey{
		"has no name": {{Sender: "github", Secret: secret}}, "is there twice": {{Name: "a", Sender: "github", Secret: secret}, {Name: "a", Sender: "kudu", Secret: secret}},
		"does not exist": {{Name: "a", Sender: "gitlab", Secret: secret}}, "has no secret": {{Name: "a", Sender: "github"}}, "of Standard Webhooks": {{Name: "a", Sender: "standard", Secret: secret}},
	} {
		r := newSendRig(t)
		r.Send.Keys = keys
		requireError(t, r.get("send"), 500, text)
		requireError(t, r.send(sendBody{"key": "a", "url": "http://127.0.0.1/", "body": "{}"}), 500, text)
	}
}
