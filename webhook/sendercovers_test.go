package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A senderCall is a genuine call, which a test alters.
type senderCall struct {
	r    *http.Request
	body []byte
	url  string // that the receiver has
}

// genuine returns a call that the literal of s signs now.
func (s sender) genuine() *senderCall {
	header := s.header
	if s.covers.time == "no" && s.timeHeader != "" {
		header = append(header[:len(header):len(header)], s.timeHeader, fmt.Sprint(time.Now().Unix()))
	}
	body := []byte(s.body)
	return &senderCall{webhooktest.NewRequest(s.signing(), "/hook?a=1", body, header...), body, s.url}
}

// timestamp finds the time in a header of its own, or in that of Stripe.
var timestamp = regexp.MustCompile(`^(t=)?[0-9]+`)

const (
	signedAt      = time.Hour // after the start of a synctest bubble
	userTolerance = 5 * time.Minute
)

// alterations change one of the four things that a proof may cover.
var alterations = []struct {
	name             string
	of               func(covers) string // what the table says of it
	signed, received time.Duration
	alter            func(*senderCall, sender)
}{
	{"nothing", func(covers) string { return "no" }, signedAt, signedAt, func(*senderCall, sender) {}},
	{"the body", func(c covers) string { return c.body }, signedAt, signedAt, func(c *senderCall, _ sender) {
		c.body = append(c.body, ' ') // JSON is the same with it
	}},
	{"the header with the time", func(c covers) string { return c.time }, signedAt, signedAt, func(c *senderCall, s sender) {
		later := fmt.Sprint(time.Now().Unix() + 1)
		c.r.Header.Set(s.timeHeader, timestamp.ReplaceAllString(c.r.Header.Get(s.timeHeader), "${1}"+later))
	}},
	{"late", func(c covers) string { return c.time }, signedAt, signedAt + userTolerance + time.Second, func(*senderCall, sender) {}},
	{"a year late", func(c covers) string { return c.time }, signedAt, 365 * 24 * time.Hour, func(*senderCall, sender) {}},
	{"early", func(c covers) string { return c.time }, signedAt + userTolerance + time.Second, signedAt, func(*senderCall, sender) {}},
	{"late, within the tolerance", func(covers) string { return "no" }, signedAt, signedAt + userTolerance, func(*senderCall, sender) {}},
	{"early, within the tolerance", func(covers) string { return "no" }, signedAt + userTolerance, signedAt, func(*senderCall, sender) {}},
	{"the ID", func(c covers) string { return c.id }, signedAt, signedAt, func(c *senderCall, s sender) {
		if s.idHeader != "" {
			c.r.Header.Set(s.idHeader, "another")
			return
		}
		c.body = []byte(strings.Replace(s.body, s.id, "another", 1))
	}},
	{"the registered URL", func(c covers) string { return c.url }, signedAt, signedAt, func(c *senderCall, _ sender) {
		c.url += "x"
	}},
	// Whatever is signed, the URL of the request is not used, since a proxy changes it.
	{"the URL of the request", func(covers) string { return "no" }, signedAt, signedAt, func(c *senderCall, _ sender) {
		c.r.Host, c.r.URL.Path = "another.example", "/another"
	}},
}

func TestSendersRefuseWhatTheirProofCovers(t *testing.T) {
	for _, s := range senders {
		for _, a := range alterations {
			says := a.of(s.covers)
			if says == "none" || a.name == "the header with the time" && s.timeHeader == "" {
				continue // the sender sends none
			}
			t.Run(s.name+"/"+a.name, func(t *testing.T) {
				var c *senderCall
				synctest.Test(t, func(*testing.T) {
					time.Sleep(a.signed)
					c = s.genuine()
				})
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(a.received)
					a.alter(c, s)
					d, err := s.open(c.url, c.r, c.body)
					if says != "no" {
						if !errors.Is(err, webhook.ErrUnverified) {
							t.Fatalf("got %v, want ErrUnverified: the proof covers it", err)
						}
						return
					}
					if err != nil {
						t.Fatalf("refused: %v, but the proof does not cover it", err)
					}
					id := s.id
					if a.name == "the ID" {
						id = "another"
					}
					if d.Type != s.typ || d.ID != id {
						t.Errorf("got type %q and ID %q, want %q and %q", d.Type, d.ID, s.typ, id)
					}
				})
			})
		}
	}
}

// The package comment names these senders.
func TestATypeInAHeaderIsNotCovered(t *testing.T) {
	var names []string
	for _, s := range senders {
		if s.typeHeader == "" {
			continue
		}
		names = append(names, s.name)
		c := s.genuine()
		c.r.Header.Set(s.typeHeader, "another")
		if d, err := s.open(c.url, c.r, c.body); err != nil || !strings.HasSuffix(d.Type, ".another") {
			t.Errorf("%s: got %v, %v", s.name, d, err)
		}
	}
	want := "- " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " send the type in a header"
	if text, err := os.ReadFile("doc.go"); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("doc.go does not say %q: %v", want, err)
	}
}

func TestThePackageCommentSaysWhatEachProofCovers(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	row := func(cells ...any) {
		want.WriteString("//\t" + strings.TrimRight(fmt.Sprintf("%-22s%-18s%-6s%-6s%-9s%s", cells...), " ") + "\n")
	}
	row("sender", "verifier", "body", "time", "ID", "URL")
	for _, s := range senders {
		verifier, _, _ := strings.Cut(s.example, "_")
		row(s.name, verifier, s.covers.body, s.covers.time, s.covers.id, s.covers.url)
	}
	if !strings.Contains(string(text), want.String()) {
		t.Errorf("doc.go does not have this table:\n%s", want.String())
	}
}
