package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// name is the program, for process_test.go.
const name = "inspector"

// A rig is the program in this process, without its listeners and the log.
type rig struct {
	*parts
	url   string
	inbox inbox
}

// newTestParts returns the parts with an inbox in memory, or in the database of -db.
func newTestParts(t *testing.T, args ...string) (*parts, inbox) {
	t.Helper()
	s, err := parseSettings(args, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	in, table, closeInbox, err := openInbox(t.Context(), s, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeInbox)
	p, err := newParts(t.Context(), s, in, table, log)
	if err != nil {
		t.Fatal(err)
	}
	return p, in
}

// newRig returns a program that serves and works until the end of the test.
func newRig(t *testing.T, args ...string) *rig {
	t.Helper()
	p, in := newTestParts(t, args...)
	p.worker.ShutdownTimeout = 50 * time.Millisecond
	server := httptest.NewUnstartedServer(nil)
	server.Config = p.server(withBins(p.intake, p.routes()))
	server.Start()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- p.worker.Run(ctx) }()
	go func() { ended <- p.janitor.Run(ctx) }()
	t.Cleanup(func() {
		p.inspector.Close()
		p.intake.delays.end()
		server.Close()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return &rig{p, server.URL, in}
}

// newDatabase returns the flag of a new database.
func newDatabase(t *testing.T) string { return "-db=" + filepath.Join(t.TempDir(), "bins.db") }

// A reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request, and follows no redirect. Headers are in pairs.
func send(t *testing.T, method, to, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func (g *rig) send(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	return send(t, method, g.url+path, body, header...)
}

// form sends the form of a bin with the values in pairs, and those that a new bin has.
func form(t *testing.T, at string, values ...string) reply {
	t.Helper()
	f := url.Values{"do": {"save"}, "new": {"1"}, "status": {"200"}, "delay": {"0s"}, "life": {"1h"}}
	for i := 0; i < len(values); i += 2 {
		f.Set(values[i], values[i+1])
	}
	return send(t, http.MethodPost, at+"/bins", f.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// set makes a bin.
func (g *rig) set(t *testing.T, values ...string) {
	t.Helper()
	if got := form(t, g.url, values...); got.status != http.StatusSeeOther {
		t.Fatalf("the form of %q: %d %s", values, got.status, got.body)
	}
}

// A shown is a delivery as the API of the inspector shows it.
type shown struct {
	UID, Source, ID, Type, Key, State, Reason, Unsigned string
	Size                                                int64
	Header                                              http.Header
}

// list returns the deliveries that match a query, newest first.
func (g *rig) list(t *testing.T, query string) []shown {
	t.Helper()
	return listAt(t, g.url, query)
}

func listAt(t *testing.T, at, query string) []shown {
	t.Helper()
	var page struct{ Deliveries []shown }
	got := send(t, http.MethodGet, at+"/api/deliveries?"+query, "")
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return page.Deliveries
}

// get returns all of a delivery.
func (g *rig) get(t *testing.T, uid string) (d shown) {
	t.Helper()
	got := g.send(t, http.MethodGet, "/api/delivery?uid="+uid, "")
	if err := json.Unmarshal([]byte(got.body), &d); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return d
}

// only waits until one delivery matches a query, and returns all of it.
func (g *rig) only(t *testing.T, query string) shown {
	t.Helper()
	var found []shown
	eventually(t, "one delivery of "+query, func() bool {
		found = g.list(t, query)
		return len(found) == 1
	})
	return g.get(t, found[0].UID)
}

// settle waits until the worker has done all: what it is doing is not deleted.
func (g *rig) settle(t *testing.T) {
	t.Helper()
	settleAt(t, g.url)
}

// settleAt is settle for a process of its own.
func settleAt(t *testing.T, at string) {
	t.Helper()
	eventually(t, "the end of what the worker does", func() bool { return len(listAt(t, at, "state=waiting,claimed")) == 0 })
}

// body returns the body of a delivery.
func (g *rig) body(t *testing.T, d shown) string {
	t.Helper()
	return g.send(t, http.MethodGet, "/api/body?uid="+d.UID, "").body
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("there is not: %s", what)
		}
	}
}
