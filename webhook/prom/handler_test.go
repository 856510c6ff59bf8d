package prom_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook/prom"
)

// answerOf returns what a handler answers to a request that accepts a format.
func answerOf(t *testing.T, h http.Handler, accept string) string {
	t.Helper()
	req, answer := httptest.NewRequest(http.MethodGet, "/metrics", nil), httptest.NewRecorder()
	req.Header.Set("Accept", accept)
	h.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

func TestHandlerServesEachCollector(t *testing.T) {
	m := prom.New("acme.push")
	own := prometheus.NewCounter(prometheus.CounterOpts{Name: "acme_deploys_total", Help: "Deploys."})
	h := prom.Handler(m, m.Stats(fakeAdmin{stats: someStats}), own)
	observeEverything(m)
	own.Inc()
	const exemplar = `# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}`
	text, open := answerOf(t, h, "text/plain"), answerOf(t, h, "application/openmetrics-text")
	for _, want := range []string{
		`hookhouse_attempts_total{state="done",type="acme.push"} 1`, `hookhouse_stored_deliveries{state="done",type="acme.push"} 5`,
		"acme_deploys_total 1", "go_goroutines ", "process_start_time_seconds ",
	} {
		for format, answer := range map[string]string{"text": text, "OpenMetrics": open} {
			if !strings.Contains(answer, "\n"+want) {
				t.Errorf("%s has no line %s", format, want)
			}
		}
	}
	if strings.Contains(text, exemplar) || !strings.Contains(open, exemplar) {
		t.Errorf("exemplars: in text %v, want false; in OpenMetrics %v, want true", strings.Contains(text, exemplar), strings.Contains(open, exemplar))
	}
}

func TestHandlerPanicsOnOneMetricTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	prom.Handler(prom.New(), prom.New())
}
