package main

import (
	"net/http"
	"testing"
)

// BenchmarkRace is for profiles; the program prints the tables.
//
//	go test -C internal/bench -run '^$' -bench 'Race/push,_8_KB/hookhouse_raw' -memprofile mem.out
func BenchmarkRace(b *testing.B) {
	for _, r := range races() {
		for _, c := range r.contenders {
			b.Run(r.body.name+"/"+c.name, func(b *testing.B) {
				w := newBench(c, r.body)
				b.SetBytes(int64(len(r.body.text)))
				b.ReportAllocs()
				if _, err := w.run(b.N); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

func TestEveryContenderTakesItsSendersCalls(t *testing.T) {
	for _, r := range races() {
		for _, c := range r.contenders {
			w := newBench(c, r.body)
			if _, err := w.run(2); err != nil {
				t.Error(err)
			}
		}
	}
}

// One that refused nothing would be measured at less than its work.
func TestRefuse(t *testing.T) {
	for _, r := range races() {
		for _, c := range r.contenders {
			if c.unproven {
				continue
			}
			t.Run(r.body.name+"/"+c.name, func(t *testing.T) {
				for name, spoil := range spoilers {
					w := newBench(c, r.body)
					call := newCall(c.from, r.body.text)
					if !spoil(call) {
						continue
					}
					if status := call.serve(w.handler); status < 400 || w.got != 0 {
						t.Errorf("%s: answered %d and handed over %d values", name, status, w.got)
					}
				}
			})
		}
	}
}

// spoilers make a call one that must be refused; false where its sender signs
// nothing of the kind.
var spoilers = map[string]func(*call) bool{
	"a changed body": func(c *call) bool {
		c.text = c.text[:len(c.text)-1] + " "
		return c.template.PathValue("token") == ""
	},
	"another signature": func(c *call) bool {
		found := false
		for _, name := range []string{"X-Hub-Signature-256", "Webhook-Signature"} {
			if v := c.template.Header.Get(name); v != "" {
				c.template.Header.Set(name, v[:12]+flip(v[12:13])+v[13:])
				found = true
			}
		}
		return found
	},
	"no signature and no token": func(c *call) bool {
		for _, name := range []string{"X-Hub-Signature-256", "X-Hub-Signature", "Webhook-Signature"} {
			c.template.Header.Del(name)
		}
		c.template.SetPathValue("token", "")
		return true
	},
	"another token": func(c *call) bool {
		had := c.template.PathValue("token") != ""
		c.template.SetPathValue("token", "guess")
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
	c := newCall(gitHub, tinyPush.text)
	want := c.template.Header.Clone()
	spoil := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Method = http.MethodGet
		w.Header().Set("X-Left", "over")
		_, _ = r.Body.Read(make([]byte, 7))
	})
	c.serve(spoil)
	seen := 0
	c.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen++
		text := make([]byte, len(tinyPush.text)+1)
		n, _ := r.Body.Read(text)
		if r.Method != http.MethodPost || len(w.Header()) != 0 || string(text[:n]) != tinyPush.text {
			t.Errorf("got %s, %v and %d bytes", r.Method, w.Header(), n)
		}
	}))
	if seen != 1 || len(want) != 11 {
		t.Errorf("served %d times, %d headers", seen, len(want))
	}
}
