package receive

import (
	"net/http"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// BenchmarkRace is for profiles; the program prints the tables.
//
//	go test -C internal/bench -run '^$' -bench 'Race/push,_8_KB/hookhouse_raw' -memprofile mem.out ./receive
func BenchmarkRace(b *testing.B) {
	for _, r := range races() {
		for _, c := range r.impls {
			b.Run(r.body.Name+"/"+c.Name, func(b *testing.B) {
				w := newBench(c, r.body)
				b.SetBytes(int64(len(r.body.Text)))
				b.ReportAllocs()
				if _, err := w.run(b.N); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

func TestEveryImplementationAcceptsItsSendersCalls(t *testing.T) {
	for _, r := range races() {
		for _, c := range r.impls {
			w := newBench(c, r.body)
			if _, err := w.run(2); err != nil {
				t.Error(err)
			}
		}
	}
}

// An implementation that refused nothing would do less work than the others.
func TestRefuse(t *testing.T) {
	for _, r := range races() {
		for _, c := range r.impls {
			if c.unproven {
				continue
			}
			t.Run(r.body.Name+"/"+c.Name, func(t *testing.T) {
				for name, spoil := range spoilers {
					w := newBench(c, r.body)
					call := sender.NewCall(c.from, r.body.Text)
					if !spoil(call) {
						continue
					}
					if status := call.Serve(w.handler); status < 400 || w.got != 0 {
						t.Errorf("%s: answered %d and handed over %d values", name, status, w.got)
					}
				}
			})
		}
	}
}

// spoilers change a call so that it must be refused. They return false if the
// sender's calls have nothing of the kind.
var spoilers = map[string]func(*sender.Call) bool{
	"a changed body": func(c *sender.Call) bool {
		c.Text = c.Text[:len(c.Text)-1] + " "
		return c.Template.PathValue("token") == ""
	},
	"another signature": func(c *sender.Call) bool {
		found := false
		for _, name := range []string{"X-Hub-Signature-256", "Webhook-Signature"} {
			if v := c.Template.Header.Get(name); v != "" {
				c.Template.Header.Set(name, v[:12]+flip(v[12:13])+v[13:])
				found = true
			}
		}
		return found
	},
	"no signature and no token": func(c *sender.Call) bool {
		for _, name := range []string{"X-Hub-Signature-256", "X-Hub-Signature", "Webhook-Signature"} {
			c.Template.Header.Del(name)
		}
		c.Template.SetPathValue("token", "")
		return true
	},
	"another token": func(c *sender.Call) bool {
		had := c.Template.PathValue("token") != ""
		c.Template.SetPathValue("token", "guess")
		return had
	},
}

func flip(s string) string {
	if s == "a" {
		return "b"
	}
	return "a"
}

func TestHarnessLeavesNothingBehind(t *testing.T) {
	c := sender.NewCall(sender.GitHub, sender.TinyPush.Text)
	want := c.Template.Header.Clone()
	spoil := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Method = http.MethodGet
		w.Header().Set("X-Left", "over")
		_, _ = r.Body.Read(make([]byte, 7))
	})
	c.Serve(spoil)
	seen := 0
	c.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen++
		text := make([]byte, len(sender.TinyPush.Text)+1)
		n, _ := r.Body.Read(text)
		if r.Method != http.MethodPost || len(w.Header()) != 0 || string(text[:n]) != sender.TinyPush.Text {
			t.Errorf("got %s, %v and %d bytes", r.Method, w.Header(), n)
		}
	}))
	if seen != 1 || len(want) != 11 {
		t.Errorf("served %d times, %d headers", seen, len(want))
	}
}
