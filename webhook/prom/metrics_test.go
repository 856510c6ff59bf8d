package prom_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

func TestTheObserversCount(t *testing.T) {
	const want = `
# HELP hookhouse_requests_rejected_total Requests refused before they became a delivery.
# TYPE hookhouse_requests_rejected_total counter
hookhouse_requests_rejected_total{source="acme",status="401"} 2
# HELP hookhouse_received_total Deliveries that the Handler of a Receiver was called for.
# TYPE hookhouse_received_total counter
hookhouse_received_total{outcome="accepted",source="acme",type="acme.push"} 1
hookhouse_received_total{outcome="duplicate",source="acme",type="acme.push"} 1
hookhouse_received_total{outcome="failed",source="acme",type="acme.push"} 2
hookhouse_received_total{outcome="ignored",source="acme",type="acme.push"} 2
# HELP hookhouse_claims_total Deliveries claimed by a Worker.
# TYPE hookhouse_claims_total counter
hookhouse_claims_total{type="acme.push"} 3
# HELP hookhouse_attempts_total Settled claims, by the state of the delivery after it.
# TYPE hookhouse_attempts_total counter
hookhouse_attempts_total{state="dead",type="acme.push"} 1
hookhouse_attempts_total{state="done",type="acme.push"} 1
hookhouse_attempts_total{state="waiting",type="acme.push"} 1
# HELP hookhouse_claims_lost_total Claims that a Worker could not settle.
# TYPE hookhouse_claims_lost_total counter
hookhouse_claims_lost_total{type="acme.push"} 1
# HELP hookhouse_overdue_total Reports of callbacks that should have returned, one a minute for each.
# TYPE hookhouse_overdue_total counter
hookhouse_overdue_total{type="acme.push"} 1
# HELP hookhouse_inbox_stored_total Deliveries committed by Put.
# TYPE hookhouse_inbox_stored_total counter
hookhouse_inbox_stored_total{source="acme"} 1
# HELP hookhouse_inbox_duplicates_total Deliveries not stored because they were duplicates.
# TYPE hookhouse_inbox_duplicates_total counter
hookhouse_inbox_duplicates_total{source="acme"} 1
# HELP hookhouse_inbox_superseded_total Deliveries that a newer one of their burst ended when it was stored.
# TYPE hookhouse_inbox_superseded_total counter
hookhouse_inbox_superseded_total{source="acme"} 1
# HELP hookhouse_inbox_refused_total Puts that failed.
# TYPE hookhouse_inbox_refused_total counter
hookhouse_inbox_refused_total{source="acme"} 1
# HELP hookhouse_inbox_swept_total Finished deliveries deleted.
# TYPE hookhouse_inbox_swept_total counter
hookhouse_inbox_swept_total 9
# HELP hookhouse_inbox_repaired_total Stuck ordering keys repaired. Each one is a fault.
# TYPE hookhouse_inbox_repaired_total counter
hookhouse_inbox_repaired_total 1
# HELP hookhouse_inbox_batch_puts Puts in a committed batch.
# TYPE hookhouse_inbox_batch_puts histogram
hookhouse_inbox_batch_puts_bucket{le="1"} 0
hookhouse_inbox_batch_puts_bucket{le="2"} 0
hookhouse_inbox_batch_puts_bucket{le="4"} 0
hookhouse_inbox_batch_puts_bucket{le="8"} 1
hookhouse_inbox_batch_puts_bucket{le="16"} 1
hookhouse_inbox_batch_puts_bucket{le="32"} 1
hookhouse_inbox_batch_puts_bucket{le="64"} 1
hookhouse_inbox_batch_puts_bucket{le="128"} 1
hookhouse_inbox_batch_puts_bucket{le="256"} 1
hookhouse_inbox_batch_puts_bucket{le="512"} 1
hookhouse_inbox_batch_puts_bucket{le="+Inf"} 1
hookhouse_inbox_batch_puts_sum 5
hookhouse_inbox_batch_puts_count 1
`
	var names []string
	for line := range strings.Lines(want) {
		if name, found := strings.CutPrefix(line, "# TYPE "); found {
			names = append(names, strings.Fields(name)[0])
		}
	}
	if err := testutil.GatherAndCompare(fullRegistry(t), strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// The histograms have the number and the sum of what was observed.
func TestTheObserversMeasure(t *testing.T) {
	want := map[string]struct {
		n   uint64
		sum float64
	}{
		"hookhouse_receive_duration_seconds":      {6, 0.120},
		"hookhouse_received_body_bytes":           {6, 1800},
		"hookhouse_delivery_lag_seconds":          {1, 2},
		"hookhouse_attempt_duration_seconds":      {2, 3},
		"hookhouse_inbox_put_duration_seconds":    {1, 0.003},
		"hookhouse_inbox_commit_duration_seconds": {2, 0.006},
		"hookhouse_inbox_batch_puts":              {1, 5},
		"hookhouse_inbox_batch_bytes":             {1, 4000},
	}
	families, err := fullRegistry(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		w, ok := want[f.GetName()]
		if !ok {
			continue
		}
		delete(want, f.GetName())
		n, sum := uint64(0), 0.0
		for _, m := range f.GetMetric() {
			n += m.GetHistogram().GetSampleCount()
			sum += m.GetHistogram().GetSampleSum()
		}
		if n != w.n || sum < w.sum-1e-9 || sum > w.sum+1 {
			t.Errorf("%s has %d observations of %v, want %d of %v", f.GetName(), n, sum, w.n, w.sum)
		}
	}
	if len(want) > 0 {
		t.Errorf("no histograms %v", want)
	}
}

// The names are as https://prometheus.io/docs/practices/naming/ wants them.
func TestTheNamesAreOfThePrometheusStyle(t *testing.T) {
	problems, err := testutil.GatherAndLint(fullRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestADurationHasTheTraceAsItsExemplar(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		want   bool
	}{
		{"sampled", []string{traceparent}, true},
		{"sampled, and another flag", []string{traceparent[:53] + "03"}, true},
		{"a later version with more fields", []string{"01" + traceparent[2:] + "-more"}, true},
		{"not sampled", []string{traceparent[:53] + "00"}, false},
		{"none", nil, false},
		{"two", []string{traceparent, traceparent}, false},
		{"empty", []string{""}, false},
		{"upper case", []string{strings.ToUpper(traceparent)}, false},
		{"no hexadecimal digits", []string{strings.Replace(traceparent, "4bf", "xyz", 1)}, false},
		{"zeros", []string{"00-" + strings.Repeat("0", 32) + traceparent[35:]}, false},
		{"the version that is none", []string{"ff" + traceparent[2:]}, false},
		{"version 0 with more fields", []string{traceparent + "-more"}, false},
		{"a later version, longer without a dash", []string{"01" + traceparent[2:] + "more"}, false},
		{"flags that are no digits", []string{traceparent[:53] + "zz"}, false},
		{"no dashes", []string{strings.ReplaceAll(traceparent, "-", "0")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, registry := prom.New(), prometheus.NewPedanticRegistry()
			registry.MustRegister(m)
			d := &webhook.Delivery{Type: "acme.push", Header: http.Header{"Traceparent": tt.header}}
			m.Observer().Settled(context.Background(), webhook.Claim{Delivery: d}, webhook.Outcome{State: webhook.Done}, time.Second)
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			trace := ""
			for _, f := range families {
				if f.GetName() != "hookhouse_attempt_duration_seconds" {
					continue
				}
				for _, b := range f.GetMetric()[0].GetHistogram().GetBucket() {
					for _, label := range b.GetExemplar().GetLabel() {
						trace += label.GetName() + "=" + label.GetValue()
					}
				}
			}
			want := ""
			if tt.want {
				want = "trace_id=4bf92f3577b34da6a3ce929d0e0e4736"
			}
			if trace != want {
				t.Errorf("exemplar %q, want %q", trace, want)
			}
		})
	}
}
