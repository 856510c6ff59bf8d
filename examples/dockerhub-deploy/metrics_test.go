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

	"github.com/stretchr/testify/require"
)

// wait waits for a condition.
func (h *host) wait(what string, holds func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			h.t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// waitFor waits until a metric has a value.
func (h *host) waitFor(metric string, value float64) {
	h.t.Helper()
	h.wait(fmt.Sprintf("%s to be %v", metric, value), func() bool { return h.metric(metric) == value })
}

// idle waits until nothing is unfinished.
func (h *host) idle() {
	h.t.Helper()
	h.wait("the end of all work", func() bool {
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
			require.NoError(h.t, err)
			return v
		}
	}
	return 0
}

func (h *host) get(path string) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, nil)
	require.NoError(h.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(h.t, http.StatusOK, res.StatusCode)
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return string(text)
}

func (h *host) read(file string) string {
	text, err := os.ReadFile(filepath.Join(h.dir, file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Error(err)
	}
	return string(text)
}

// calls counts the commands of docker that begin so.
func (h *host) calls(prefix string) int {
	n := 0
	for line := range strings.Lines(h.read("calls")) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

const (
	orders     = `hookhouse_deliveries{state="%s",type="deploy.order"}`
	pushes     = `hookhouse_deliveries{state="%s",type="dockerhub.push"}`
	deploys    = `dockerhub_deploys_total{outcome="%s",target="web"}`
	deployed   = `dockerhub_deploys_total{outcome="deployed",target="web"}`
	leftAlone  = `dockerhub_deploys_total{outcome="left alone",target="web"}`
	rolledBack = `dockerhub_deploys_total{outcome="rolled back",target="web"}`
)
