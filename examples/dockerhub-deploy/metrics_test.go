package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// until waits until a condition is true.
func (h *host) until(what string, holds func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), waitTimeout)
	defer cancel()
	if err := pollUntil(ctx, what, holds); err != nil {
		h.t.Fatal(err)
	}
}

// result waits until deployments of a target have had an outcome n times.
func (h *host) result(target, outcome string, n int) {
	h.t.Helper()
	metric := fmt.Sprintf(`dockerhub_deploys_total{outcome="%s",target="%s"}`, outcome, target)
	h.until(fmt.Sprintf("%s to be %d", metric, n), func() bool { return h.metric(metric) >= n })
	if got := h.metric(metric); got != n {
		h.t.Fatalf("%s = %d, want %d", metric, got, n)
	}
}

// stored returns the number of deliveries of a type in a state.
func (h *host) stored(typ string, state webhook.State) int {
	h.t.Helper()
	return h.stats().Types[typ][state]
}

func (h *host) stats() webhook.Stats {
	h.t.Helper()
	return h.watched.stats(h.t)
}

// idle waits until no delivery is unfinished.
func (h *host) idle() {
	h.t.Helper()
	h.until("all deliveries to finish", func() bool { return h.watched.idle(h.t) })
}

func (h *host) metric(name string) int {
	for line := range strings.Lines(h.get("/metrics")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				h.t.Fatal(err)
			}
			return int(v)
		}
	}
	return 0
}

// plain asks for no compression, which would take the program longer than the answer.
var plain = http.Client{Transport: &http.Transport{DisableCompression: true}}

func (h *host) get(path string) string {
	h.t.Helper()
	res, err := plain.Get(h.url + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		h.t.Fatalf("GET %s: %v, status %d: %s", path, err, res.StatusCode, text)
	}
	return string(text)
}

// calls counts the docker commands that begin with prefix.
func (h *host) calls(prefix string) int {
	n := 0
	for line := range strings.Lines(h.read("calls")) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}
