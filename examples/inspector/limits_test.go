package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestTheOldestCapturesOfABinAreDeleted(t *testing.T) {
	for kind, args := range map[string][]string{"memory": nil, "SQLite": {newDatabase(t)}} {
		t.Run(kind, func(t *testing.T) {
			g := newRig(t, append(args, "-max-captures", "3", "-rate", "100")...)
			g.set(t, "name", "one")
			g.set(t, "name", "two")
			g.send(t, "POST", "/in/two", "kept")
			for n := range 7 {
				g.send(t, "POST", fmt.Sprintf("/in/one/%d", n), "x")
				g.settle(t)
			}
			var keys []string
			for _, d := range g.list(t, "source=bin.one") {
				keys = append(keys, d.Key[:len("POST 0")])
			}
			if got := strings.Join(keys, ","); got != "POST 6,POST 5,POST 4" {
				t.Errorf("stored are %s", got)
			}
			g.only(t, "source=bin.two")
		})
	}
}

// A bin with many calls loses its own captures, and not older ones of others.
func TestTheBinWithTheMostBytesMakesRoom(t *testing.T) {
	g := newRig(t, "-max-body", "1000000", "-max-bytes", "4600000", "-rate", "100")
	g.set(t, "name", "one")
	g.set(t, "name", "two")
	large := strings.Repeat("x", 1_000_000)
	g.send(t, "POST", "/in/one", large)
	for range 6 {
		g.send(t, "POST", "/in/two", large)
		g.settle(t)
	}
	g.only(t, "source=bin.one")
	if n := len(g.list(t, "source=bin.two")); n != 3 {
		t.Errorf("%d captures of the bin with many calls, want 3", n)
	}
}

func TestHeadersCountAsTheMemoryThatTheyTake(t *testing.T) {
	short := make(http.Header)
	for n := range 1000 {
		short.Set(fmt.Sprint("H", n), "")
	}
	for name, tt := range map[string]struct {
		header http.Header
		least  int64
	}{
		"no header":         {nil, 1000},
		"a large field":     {http.Header{"X": {strings.Repeat("h", 60_000)}}, 60_000},
		"many short fields": {short, 100_000},
		"many values":       {http.Header{"X": make([]string, 1000)}, 100_000},
	} {
		if n := sizeOf(&webhook.Delivery{Header: tt.header}); n < tt.least {
			t.Errorf("%s: %d bytes, want at least %d", name, n, tt.least)
		}
	}
}

// What waits for its forward is deleted too, and what is being forwarded is not.
func TestCapturesThatWaitAreDeletedForNewerOnes(t *testing.T) {
	p, in := newTestParts(t, "-max-captures", "3", "-rate", "100")
	if err := p.pages.bins.save(t.Context(), newBin("demo", time.Now().Add(time.Hour)), true); err != nil {
		t.Fatal(err)
	}
	put := func() error {
		return p.captures().put(t.Context(), "demo", delivery())
	}
	for range 5 { // no worker runs
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 3})
	if err != nil || len(claims) != 3 {
		t.Fatalf("%d claims, %v", len(claims), err)
	}
	if err := put(); err != errNoRoom {
		t.Errorf("with all of them claimed: %v", err)
	}
	if _, err := in.Settle(t.Context(), claims[1], webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	if err := put(); err != nil || p.captures().count("demo") != 3 {
		t.Errorf("after one of them is done: %v, %d captures", err, p.captures().count("demo"))
	}
	if _, err := in.Get(t.Context(), claims[0].Delivery.UID); err != nil {
		t.Errorf("one that is claimed: %v", err)
	}
}

func (p *parts) captures() *captures { return p.intake.bins.captures }

func delivery() *webhook.Delivery {
	d := webhook.NewDelivery("bin.demo", "bin.demo", "", []byte("x"))
	d.Header = make(http.Header)
	return d
}

func TestConcurrentCapturesKeepTheLimits(t *testing.T) {
	p, in := newTestParts(t, "-max-captures", "10")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 50 {
				if err := p.captures().put(t.Context(), fmt.Sprintf("bin-%d", n%2), delivery()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	n := 0
	for _, err := range in.All(t.Context(), webhook.Filter{}) {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if c := p.captures(); n != 20 || c.count("bin-0") != 10 || c.count("bin-1") != 10 {
		t.Errorf("%d are stored, and %d and %d are counted", n, c.count("bin-0"), c.count("bin-1"))
	}
}

func TestABinTakesALimitedNumberOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newTestParts(t, "-rate", "3", "-open")
		statuses := func(n int, path string) (list []int) {
			for range n {
				list = append(list, call(p, "POST", path, "x").Code)
			}
			return list
		}
		if got := fmt.Sprint(statuses(5, "/in/one")); got != "[200 200 200 429 429]" {
			t.Errorf("at once: %s", got)
		}
		if got := fmt.Sprint(statuses(1, "/in/two")); got != "[200]" {
			t.Errorf("another bin: %s", got)
		}
		advance(time.Second/3 + time.Microsecond)
		if got := fmt.Sprint(statuses(2, "/in/one")); got != "[200 429]" {
			t.Errorf("a third of a second later: %s", got)
		}
		if n := p.captures().count("one"); n != 4 {
			t.Errorf("%d captures, want 4", n)
		}
	})
}

func TestThereIsALimitedNumberOfBins(t *testing.T) {
	g := newRig(t, "-max-bins", "2", "-open")
	g.set(t, "name", "one")
	g.send(t, "POST", "/in/two", "")
	if got := g.send(t, "POST", "/in/three", ""); got.status != 503 || !strings.Contains(got.body, "as many as allowed") {
		t.Errorf("a third bin by a call: %d %s", got.status, got.body)
	}
	if got := form(t, g.url, "name", "three"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "-max-bins") {
		t.Errorf("a third bin by the form: %d %s", got.status, got.body)
	}
	g.set(t, "name", "one", "new", "", "status", "204") // is no further bin
	g.set(t, "name", "two", "do", "delete")
	g.set(t, "name", "three")
}
