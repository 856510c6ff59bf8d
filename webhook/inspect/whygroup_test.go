package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// What one member of a group accepts is no cause.
func TestTheMemberOfAGroupThatRefusesIsNamed(t *testing.T) {
	mac := func(secret string) webhook.Verifier {
		return &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: webhook.Keys(webhook.NewSecret(secret))}
	}
	byToken := func(secret string) webhook.Verifier {
		return &webhook.Token{Header: "X-Pass", Keys: webhook.Keys(webhook.NewSecret(secret))}
	}
	list := &webhook.IPAllowList{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	other := &webhook.HMAC{Header: "X-Other", Keys: webhook.Keys(webhook.NewSecret(ours))}
	for name, tt := range map[string]struct{ receiver, sender webhook.Verifier }{
		"a right token, a wrong signature": {webhook.NewAllOf(byToken(ours), mac(ours)), webhook.NewAllOf(byToken(ours), mac(theirs))},
		"one of two in a group":            {webhook.NewAllOf(list, webhook.NewAnyOf(other, mac(ours))), mac(theirs)},
		"a group of groups":                {webhook.NewAnyOf(webhook.NewAllOf(list, other), webhook.NewAllOf(list, mac(ours))), mac(theirs)},
	} {
		r := newRig(t)
		src := webhook.Source{Name: "acme", Verifier: tt.receiver}
		serveCall(r.receiver(src), webhooktest.NewRequest(webhook.Source{Name: "acme", Verifier: tt.sender}, "/", []byte(`{"a":1}`)))
		c := r.last()
		if c.Status != 401 || len(c.Why) != 1 || c.Why[0].Cause != "secret_wrong" || !strings.Contains(c.Why[0].Help, "made the signature") {
			t.Errorf("%s: %d %s %+v", name, c.Status, c.Reason, c.Why)
		}
	}
}

// A body that is read and closed before the receiver is no broken connection, and a token that
// is right is not one that was added since.
func TestABodyThatWasReadBeforeATokenOrClosedIsNamed(t *testing.T) {
	log := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			next.ServeHTTP(w, r)
		})
	}
	closes := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			_ = r.Body.Close()
			next.ServeHTTP(w, r)
		})
	}
	expand := func(next http.Handler) http.Handler { // and forgets the length
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body) + string(body)))
			next.ServeHTTP(w, r)
		})
	}
	byToken := webhook.Source{Name: "hub", Verifier: &webhook.Token{Header: "X-Pass", Keys: webhook.Keys(webhook.NewSecret(ours))}}
	for _, tt := range []struct {
		name          string
		src           webhook.Source
		outer, inner  func(http.Handler) http.Handler
		help, notHelp string
	}{
		{"a token, read between", byToken, nil, log, "did not get the whole body: a handler of this program read the body first", "of 7 bytes"},
		{"a token, read in front", byToken, log, nil, "got 0 of 7 bytes", ""},
		{"closed between", gitHubSource(ours), nil, closes, "read and closed the body", ""},
		{"closed in front", gitHubSource(ours), closes, nil, "read and closed the body", ""},
		{"replaced in front", gitHubSource(ours), expand, nil, "more than the 7 bytes of Content-Length", ""},
	} {
		r := newRig(t)
		var h http.Handler
		if tt.inner != nil {
			h = r.receiver(tt.src, tt.inner)
		} else {
			h = tt.outer(r.receiver(tt.src))
		}
		server := httptest.NewServer(h)
		request := webhooktest.NewRequest(tt.src, "/", []byte(`{"a":1}`))
		request.RequestURI, request.URL.Scheme, request.URL.Host = "", "http", strings.TrimPrefix(server.URL, "http://")
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		server.Close()
		c := r.last()
		if len(c.Why) != 1 || c.Why[0].Cause != "body_read_before" || !strings.Contains(c.Why[0].Help, tt.help) || tt.notHelp != "" && strings.Contains(c.Why[0].Help, tt.notHelp) {
			t.Errorf("%s: %d %s %+v", tt.name, c.Status, c.Reason, c.Why)
		}
	}
}

// The errors of a handler may be those of the receiver.
func TestAHandlerThatRefusesAnAuthenticCallIsNamed(t *testing.T) {
	for _, err := range []error{webhook.ErrMediaType, webhook.ErrTooLarge, webhook.ErrUnverified, webhook.ErrMalformed, webhook.ErrOverloaded} {
		r := newRig(t)
		receiver := webhook.NewReceiver(gitHubSource(ours), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return fmt.Errorf("%w: no room", err) }))
		receiver.Logger = slog.New(slog.DiscardHandler)
		sendGitHub(t, r.Watch(gitHubSource(ours), receiver), ours, webhooktest.GitHubPush())
		if c := r.last(); len(c.Why) != 1 || c.Why[0].Cause != "handler" {
			t.Errorf("%v: %d %+v", err, c.Status, c.Why)
		}
	}
}

// A secret of GitLab that is 40 hex digits is no SHA-1 of the body.
func TestATokenInHexIsNoDigest(t *testing.T) {
	r := newRig(t)
	request := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Gitlab-Token", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12")
	serveCall(r.receiver(gitHubSource(ours)), request)
	r.requireCause(401, "header_missing", "nothing else that looks like a signature", []string{"2fd4e1c67a2d28fc"})
}

// A router that sets no pattern, and a URL that is too long to be kept, have a token too.
func TestATokenThatIsNotInThePatternIsLookedAt(t *testing.T) {
	src := webhook.Source{Name: "hub", Verifier: &webhook.Token{PathValue: "token", Keys: webhook.Keys(webhook.NewSecret(token))}}
	r := newRig(t)
	h := r.receiver(src)
	request := httptest.NewRequest("POST", "/hooks/an0ther", strings.NewReader("{}"))
	request.SetPathValue("token", "an0ther")
	request.Header.Set("X-Was", "an0ther")
	serveCall(h, request)
	r.requireCause(401, "secret_wrong", "is not the secret of source hub", []string{token, "an0ther"})

	request = httptest.NewRequest("POST", "/hooks/an0ther?"+strings.Repeat("q", 9<<10), strings.NewReader("{}"))
	request.SetPathValue("token", "an0ther")
	serveCall(h, request)
	if c := r.last(); len(c.Why) != 1 || c.Why[0].Cause != "unknown" || !strings.Contains(c.WhyNote, "too long to be kept") {
		t.Errorf("%+v %s", c.Why, c.WhyNote)
	}
}

// sealed is a custom verifier that asks a database, which may fail.
type sealed struct{ err error }

func (s *sealed) Admit(*http.Request) error { return nil }

func (s *sealed) Verify(*http.Request, []byte) (webhook.Proof, error) {
	return webhook.Proof{}, s.err
}

// What a database says is not shown, also if it fails while a person looks, and then the next
// person gets the cause.
func TestWhatFailsWhileAPersonLooksIsNotKept(t *testing.T) {
	r := newRig(t)
	v := &sealed{fmt.Errorf("%w: the seal is broken", webhook.ErrUnverified)}
	serveCall(r.receiver(webhook.Source{Name: "acme", Verifier: v}), webhooktest.NewRequest(gitHubSource(ours), "/", []byte("{}")))
	v.err = fmt.Errorf("%w: dial db.internal:5432", webhook.ErrOverloaded)
	if text := r.get("call?n=1").Body.String(); strings.Contains(text, "db.internal") || !strings.Contains(text, "could not look something up") {
		t.Errorf("%s", text)
	}
	v.err = fmt.Errorf("%w: the seal is broken", webhook.ErrUnverified)
	r.requireCause(401, "verifier", "the seal is broken", nil)

	r = newRig(t)
	src, fails := gitHubSource(), false
	src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", KeysFor: func(req *http.Request) ([]webhook.Key, error) {
		if fails {
			return nil, errors.Join(errors.New("the database is away"), req.Context().Err())
		}
		return webhook.Keys(webhook.NewSecret(ours)), nil
	}}
	sendGitHub(t, r.receiver(src), theirs, webhooktest.GitHubPush())
	fails = true
	if text := r.get("call?n=1").Body.String(); !strings.Contains(text, "could not be looked up") {
		t.Errorf("%s", text)
	}
	fails = false
	r.requireCause(401, "secret_wrong", "made the signature", []string{ours, theirs}, webhooktest.GitHubPush())
}
