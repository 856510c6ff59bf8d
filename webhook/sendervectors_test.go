package webhook_test

import (
	"encoding/json"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A senderVector is a call that was signed without the code of this package; see the
// README in testdata/senders.
type senderVector struct {
	Sender, Source, Made string
	Key, URL, Target     string
	Time                 int64
	Header               map[string]string
	Body                 string
}

func senderVectors(t *testing.T) map[string][]senderVector {
	t.Helper()
	text, err := os.ReadFile("testdata/senders/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []senderVector
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]senderVector)
	for _, v := range list {
		all[v.Sender] = append(all[v.Sender], v)
	}
	return all
}

// request returns the call as a server gets it.
func (v senderVector) request() *http.Request {
	target := v.Target
	if target == "" {
		target = "/"
	}
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(v.Body))
	for name, value := range v.Header {
		r.Header.Set(name, value)
	}
	return r
}

func TestSendersVerifyVectorsMadeByOthers(t *testing.T) {
	vectors := senderVectors(t)
	for _, s := range senders {
		if len(vectors[s.vectors]) == 0 {
			t.Errorf("%s has no vector", s.name)
		}
		for i, v := range vectors[s.vectors] {
			if v.Source == "" {
				t.Errorf("%s: vector %d has no source", s.name, i)
			}
			synctest.Test(t, func(t *testing.T) {
				if v.Time != 0 {
					time.Sleep(time.Until(time.Unix(v.Time, 0)))
				}
				open := func(url, key, body string) (*webhook.Delivery, error) {
					src := s.source(url, webhook.NewSecret(key))
					if err := src.Validate(); err != nil {
						t.Fatal(err)
					}
					return src.Open(v.request(), []byte(body))
				}
				d, err := open(v.URL, v.Key, v.Body)
				if err != nil {
					t.Fatalf("%s: vector %d: %v", s.name, i, err)
				}
				if id := v.Header["svix-id"] + v.Header["webhook-id"]; id != "" && d.ID != id {
					t.Errorf("%s: got ID %q, want %q", s.name, d.ID, id)
				}
				if _, err := open(v.URL, otherKey(v.Key), v.Body); err == nil {
					t.Errorf("%s: vector %d verifies with another key", s.name, i)
				}
				if _, err := open(v.URL, v.Key, v.Body+" "); (err == nil) != (s.covers.body == "no") {
					t.Errorf("%s: vector %d with another body: got %v", s.name, i, err)
				}
				if _, err := open(v.URL+"x", v.Key, v.Body); (err == nil) != (s.covers.url == "no") {
					t.Errorf("%s: vector %d of another URL: got %v", s.name, i, err)
				}
			})
		}
		delete(vectors, s.vectors)
	}
	for name := range vectors {
		t.Errorf("the vectors of %q are not used", name)
	}
}

// otherKey returns a key of the same form that differs in one byte.
func otherKey(key string) string {
	i := len(key) / 2
	c := byte('0')
	if key[i] == c {
		c = '1'
	}
	return key[:i] + string(c) + key[i+1:]
}

func TestStripeSignsWithTheWholeSecretAndV0NeverCounts(t *testing.T) {
	v := senderVectors(t)["stripe"][0]
	for name, change := range map[string]func(header string) string{
		"only v0":         func(h string) string { return strings.ReplaceAll(h, "v1=", "v0=") },
		"v0 next to a v1": func(h string) string { return strings.Replace(h, ",v1=5666b7", ",v0=5666b7", 1) },
		"no time":         func(h string) string { return strings.ReplaceAll(h, "t=", "x=") },
		"two times":       func(h string) string { return h + ",t=1492774577" },
		"no right v1":     func(h string) string { return strings.Replace(h, ",v1=5666b7", ",v1=5666b8", 1) },
		"another version": func(h string) string { return strings.ReplaceAll(h, "v1=", "v2=") },
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Unix(v.Time, 0)))
			src := stripeSource(webhook.NewSecret(v.Key))
			if err := src.Validate(); err != nil {
				t.Fatal(err)
			}
			r := v.request()
			r.Header.Set("Stripe-Signature", change(v.Header["Stripe-Signature"]))
			if _, err := src.Open(r, []byte(v.Body)); err == nil {
				t.Errorf("%s: accepted", name)
			}
		})
	}
}

func TestNewRequestSignsForEveryLiteral(t *testing.T) {
	for _, s := range senders {
		for name, header := range map[string][]string{"as the sender": s.header, "as JSON": nil} {
			var rec webhooktest.Recorder
			r := webhooktest.NewRequest(s.signing(), "/hook", []byte(s.body), header...)
			w := httptest.NewRecorder()
			receiver := webhook.NewReceiver(s.verifying(s.url), &rec)
			receiver.Logger = slog.New(slog.DiscardHandler) // without a header some have no type
			receiver.ServeHTTP(w, r)
			if w.Code != http.StatusAccepted || rec.Count() != 1 {
				t.Errorf("%s, %s: got %d and %d deliveries", s.name, name, w.Code, rec.Count())
			}
		}
	}
}

// An example is shown with the literal if it is alone in its file.
func TestEachLiteralIsShownAtItsVerifier(t *testing.T) {
	fset := token.NewFileSet()
	shown := make(map[string]string) // source of the playable program by name
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "example_") {
			continue
		}
		f, err := parser.ParseFile(fset, e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, ex := range doc.Examples(f) {
			var text strings.Builder
			if ex.Play != nil {
				if err := format.Node(&text, fset, ex.Play); err != nil {
					t.Fatal(err)
				}
			}
			shown[ex.Name] = text.String()
		}
	}
	for _, s := range senders {
		if text := shown[s.example]; !strings.Contains(text, "return webhook.Source{") || !strings.Contains(text, "https://") {
			t.Errorf("Example%s does not show the literal of %s and where its facts are from", s.example, s.name)
		}
	}
}
