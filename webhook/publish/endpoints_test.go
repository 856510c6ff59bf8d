package publish_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestCreateRefusesWhatCannotBeSentTo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.EventTypes = []string{"comment.created", "comment.deleted"}
		r.create("taken", func(e *publish.Endpoint) { e.Name, e.Events = "Mine", []string{"comment.*"} })
		for name, change := range map[string]func(*publish.Endpoint){
			"relative URL":          func(e *publish.Endpoint) { e.URL = "/hook" },
			"URL with userinfo":     func(e *publish.Endpoint) { e.URL = "https://user:hidden@a/" },
			"URL of another scheme": func(e *publish.Endpoint) { e.URL = "ftp://a/" },
			"URL with a fragment":   func(e *publish.Endpoint) { e.URL = "https://a/#b" },
			"pattern of no type":    func(e *publish.Endpoint) { e.Events = []string{"invoice.*"} },
			"no patterns":           func(e *publish.Endpoint) { e.Events = nil },
			"unknown scheme":        func(e *publish.Endpoint) { e.Scheme = "mine" },
			"secret of no form":     func(e *publish.Endpoint) { e.Secrets = secrets("hidden") },
			"public key":            func(e *publish.Endpoint) { e.Secrets = secrets("whpk_hidden") },
			"short secret":          func(e *publish.Endpoint) { e.Secrets = secrets("whsec_MfKQ9r8GKYqr") },
			"expired secret": func(e *publish.Endpoint) {
				e.Secrets = []publish.Secret{{Secret: webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Until: time.Now()}}
			},
			"no secret":         func(e *publish.Endpoint) { e.Scheme = "basic" },
			"secret of basic":   func(e *publish.Endpoint) { e.Scheme, e.Secrets = "basic", secrets("hidden") },
			"reserved header":   func(e *publish.Endpoint) { e.Header = http.Header{"Content-Length": {"hidden"}} },
			"header of ours":    func(e *publish.Endpoint) { e.Header = http.Header{"Webhook-Id": {"hidden"}} },
			"ID with a slash":   func(e *publish.Endpoint) { e.ID = "a/b" },
			"long ID":           func(e *publish.Endpoint) { e.ID = strings.Repeat("a", 65) },
			"many attempts":     func(e *publish.Endpoint) { e.MaxAttempts = 51 },
			"skipping of TLS":   func(e *publish.Endpoint) { e.InsecureSkipVerify = true },
			"disabled":          func(e *publish.Endpoint) { e.State = publish.Disabled },
			"another state":     func(e *publish.Endpoint) { e.State = "asleep" },
			"header of no form": func(e *publish.Endpoint) { e.Header = http.Header{"A b": {"hidden"}} },
		} {
			e := publish.Endpoint{URL: "https://a/", Events: []string{"*"}}
			change(&e)
			_, err := r.Create(t.Context(), e)
			if !errors.Is(err, publish.ErrEndpoint) {
				t.Errorf("%s: %v, want ErrEndpoint", name, err)
			} else if strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: the error has a secret: %v", name, err)
			}
		}
		for name, change := range map[string]func(*publish.Endpoint){
			"ID":   func(e *publish.Endpoint) { e.ID = "taken" },
			"name": func(e *publish.Endpoint) { e.Name = "mine" },
		} {
			e := publish.Endpoint{URL: "https://a/", Events: []string{"*"}}
			change(&e)
			if _, err := r.Create(t.Context(), e); !errors.Is(err, publish.ErrExists) {
				t.Errorf("%s twice: %v, want ErrExists", name, err)
			}
		}
		n := 0
		for range r.Endpoints(t.Context(), publish.Filter{}) {
			n++
		}
		if n != 1 {
			t.Errorf("%d endpoints, want 1: what is refused is not stored", n)
		}
	})
}

func secrets(text string) []publish.Secret {
	return []publish.Secret{{Secret: webhook.NewSecret(text)}}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	r := newRig(t)
	r.Transport = nil // its own, with the guard
	for _, url := range []string{
		"https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "https://169.254.169.254/latest/meta-data",
		"https://[::ffff:a9fe:a9fe]/", "http://93.184.216.34/", "https://user:hidden@93.184.216.34/", "https://2130706433/",
	} {
		_, err := r.Create(t.Context(), publish.Endpoint{URL: url, Events: []string{"*"}})
		if !errors.Is(err, publish.ErrEndpoint) {
			t.Errorf("Create(%s) = %v, want ErrEndpoint", url, err)
		} else if strings.Contains(err.Error(), "hidden") {
			t.Errorf("Create(%s): the error has the password: %v", url, err)
		}
	}
	if _, err := r.Create(t.Context(), publish.Endpoint{URL: "https://93.184.216.34/hook", Events: []string{"*"}}); err != nil {
		t.Errorf("Create of a public address = %v", err)
	}
}

func TestAnAddressIsJudgedAgainForEachRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.URL = "https://127.0.0.1/" }) // as if the name had led elsewhere
		r.publish(publish.Event{})
		r.use(r.inbox, r.store)
		r.Transport = nil // its own, with the guard
		r.start()
		advance(time.Second)
		a := r.attempts("a")
		if len(a) != 1 || a[0].Result != publish.Failed || a[0].Reason != "addrguard: address refused" {
			t.Errorf("attempts %+v, want one that the guard has refused, without the address", a)
		}
	})
}

func TestUpdateRefusesWhatThePublisherKeeps(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		stop := errors.New("stop")
		for name, change := range map[string]func(*publish.Endpoint){
			"ID":           func(e *publish.Endpoint) { e.ID = "b" },
			"Owner":        func(e *publish.Endpoint) { e.Owner = "b" },
			"Created":      func(e *publish.Endpoint) { e.Created = e.Created.Add(1) },
			"State":        func(e *publish.Endpoint) { e.State = publish.Paused },
			"Reason":       func(e *publish.Endpoint) { e.Reason = "b" },
			"Since":        func(e *publish.Endpoint) { e.Since = e.Since.Add(1) },
			"FailingSince": func(e *publish.Endpoint) { e.FailingSince = e.Since },
			"URL":          func(e *publish.Endpoint) { e.URL = "b" },
			"Secrets":      func(e *publish.Endpoint) { e.Secrets = nil },
		} {
			_, err := r.Update(t.Context(), "a", func(e *publish.Endpoint) error { change(e); return nil })
			if !errors.Is(err, publish.ErrEndpoint) || !strings.Contains(fmt.Sprint(err), name) {
				t.Errorf("Update of %s = %v, want ErrEndpoint that names it", name, err)
			}
		}
		if _, err := r.Update(t.Context(), "a", func(*publish.Endpoint) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("Update = %v, want the error of the change", err)
		}
		e, err := r.Update(t.Context(), "a", func(e *publish.Endpoint) error { e.Description = "new"; return nil })
		if err != nil || e.Description != "new" {
			t.Errorf("Update = %v, %v", e, err)
		}
	})
}
