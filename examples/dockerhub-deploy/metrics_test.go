package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// waitUntil waits until a condition is true.
func (h *host) waitUntil(what string, holds func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), waitTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			h.t.Fatalf("timeout waiting for %s", what)
		case <-tick.C:
		}
	}
}

// waitForMetric waits until a metric has a value.
func (h *host) waitForMetric(metric string, value float64) {
	h.t.Helper()
	h.waitUntil(fmt.Sprintf("%s to be %v", metric, value), func() bool { return h.metric(metric) == value })
}

// waitIdle waits until no delivery is unfinished.
func (h *host) waitIdle() {
	h.t.Helper()
	h.waitUntil("all deliveries to finish", func() bool {
		page := h.get("/metrics")
		for _, state := range []string{"waiting", "blocked", "claimed"} {
			for line := range strings.Lines(page) {
				if strings.HasPrefix(line, "hookhouse_deliveries{") && strings.Contains(line, `state="`+state+`"`) && !strings.HasSuffix(line, " 0\n") {
					return false
				}
			}
		}
		return true
	})
}

func (h *host) metric(name string) float64 {
	for line := range strings.Lines(h.get("/metrics")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				h.t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

func (h *host) get(path string) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		h.t.Fatalf("res.StatusCode = %d, want %d", res.StatusCode, http.StatusOK)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func (h *host) read(file string) string {
	text, err := os.ReadFile(filepath.Join(h.dir, file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Error(err)
	}
	return string(text)
}

// countCalls counts the docker commands that begin with prefix.
func (h *host) countCalls(prefix string) int {
	n := 0
	for line := range strings.Lines(h.read("calls")) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

const (
	deployRequests = `hookhouse_deliveries{state="%s",type="deploy.order"}`
	pushes         = `hookhouse_deliveries{state="%s",type="dockerhub.push"}`
	deploys        = `dockerhub_deploys_total{outcome="%s",target="web"}`
	deployed       = `dockerhub_deploys_total{outcome="deployed",target="web"}`
	unchanged      = `dockerhub_deploys_total{outcome="unchanged",target="web"}`
	rolledBack     = `dockerhub_deploys_total{outcome="rolled back",target="web"}`
)
