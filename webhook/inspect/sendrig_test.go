package inspect_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

const (
	testSecret   = "s3cr3t of the tests/+&\""
	standardText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// newSendRig returns a rig that may send to this machine.
func newSendRig(t *testing.T) *rig {
	r := newRig(t)
	secret := webhook.NewSecret(testSecret)
	r.Send = &inspect.Send{Hosts: []string{"127.0.0.1"}, Guard: addrguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, InsecureHTTP: true}}
	for _, sender := range []string{"github", "jobserv", "dockerhub", "kudu"} {
		r.Send.Keys = append(r.Send.Keys, inspect.TestKey{Name: sender, Sender: sender, Secret: secret})
	}
	r.Send.Keys = append(r.Send.Keys, inspect.TestKey{Name: "standard", Sender: "standard", Secret: webhook.NewSecret(standardText)})
	return r
}

// A sendBody is the body of a POST to api/send.
type sendBody map[string]any

func (r *rig) send(body sendBody) *httptest.ResponseRecorder {
	r.t.Helper()
	if body["why"] == nil {
		body["why"] = "a test"
	}
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.postJSON("api/send", string(text))
}

// An answer is what the tests read of the answer of a target.
type answer struct {
	Status     int
	Header     http.Header
	Body, Note string
	Base64, ID string
	Sent       int
	Cut        bool
}

// A target is a server that keeps what it gets.
type target struct {
	*httptest.Server
	mu  sync.Mutex
	got []received
}

type received struct {
	header http.Header
	path   string
	body   string
}

// newTarget starts a server that answers with h, or with 204 if that is nil.
func newTarget(t *testing.T, h http.Handler) *target {
	t.Helper()
	to := new(target)
	to.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the body of a request: %v", err)
		}
		to.mu.Lock()
		to.got = append(to.got, received{r.Header, r.URL.Path, string(body)})
		to.mu.Unlock()
		if h == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(to.Close)
	return to
}

func (to *target) requests() []received {
	to.mu.Lock()
	defer to.mu.Unlock()
	return append([]received(nil), to.got...)
}

// requireNoSecret requires that a text has neither a secret nor a proof of a request.
func requireNoSecret(t *testing.T, what, text string, requests []received) {
	t.Helper()
	bad := []string{testSecret, "s3cr3t", standardText, strings.TrimPrefix(standardText, "whsec_"), base64.StdEncoding.EncodeToString([]byte("hook:" + testSecret))}
	for _, r := range requests {
		for _, name := range []string{"X-Hub-Signature", "X-Hub-Signature-256", "X-Jobserv-Sig", "Webhook-Signature", "Authorization"} {
			for _, value := range r.header[name] {
				bad = append(bad, value[strings.IndexAny(value, "=:, ")+1:])
			}
		}
	}
	for _, b := range bad {
		if strings.Contains(text, b) {
			t.Errorf("%s has %q: %s", what, b, text)
		}
	}
}
