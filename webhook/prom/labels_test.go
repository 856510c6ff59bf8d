package prom_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// values returns the values of a metric by those of one of its labels.
func values(t *testing.T, from prometheus.Gatherer, name, label string) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			got[labelOf(m, label)] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return got
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func TestOnlyTheGivenTypesHaveALabel(t *testing.T) {
	m, registry := prom.New("acme.push", "acme.tag", "not\xffUTF-8"), prometheus.NewPedanticRegistry()
	admin := fakeAdmin{stats: func(context.Context) (webhook.Stats, error) {
		return webhook.Stats{
			Types: map[string]map[webhook.State]int{
				"acme.push": {webhook.Done: 1}, "strange.1": {webhook.Done: 10}, "strange.2": {webhook.Done: 100},
			},
			Oldest: map[string]time.Duration{"strange.1": 5 * time.Second, "strange.2": 7 * time.Second, "strange.3": 6 * time.Second},
		}, nil
	}}
	registry.MustRegister(m, m.Stats(admin))
	for i := range 500 {
		c := webhook.Claim{Delivery: &webhook.Delivery{Type: fmt.Sprintf("strange.%d", i)}}
		m.Observer().Claimed(t.Context(), c)
	}
	m.Observer().Claimed(t.Context(), webhook.Claim{Delivery: &webhook.Delivery{Type: "acme.tag"}})
	m.Observer().Claimed(t.Context(), webhook.Claim{Delivery: &webhook.Delivery{Type: "not\xffUTF-8"}})
	for name, want := range map[string]map[string]float64{
		"hookhouse_claims_total":       {"acme.tag": 1, "other": 501},
		"hookhouse_stored_deliveries":  {"acme.push": 1, "other": 110},
		"hookhouse_oldest_due_seconds": {"other": 7},
	} {
		if diff := cmp.Diff(want, values(t, registry, name, "type")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWithoutTypesTheFirstHundredHaveALabel(t *testing.T) {
	m, registry := prom.New(), prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 300 {
				m.Observer().Claimed(t.Context(), webhook.Claim{Delivery: &webhook.Delivery{Type: fmt.Sprint(i)}})
				m.Observer().Rejected(t.Context(), fmt.Sprint(i), 401, io.EOF)
			}
		})
	}
	all.Wait()
	for name, label := range map[string]string{"hookhouse_claims_total": "type", "hookhouse_requests_rejected_total": "source"} {
		got := values(t, registry, name, label)
		sum := 0.0
		for _, n := range got {
			sum += n
		}
		if len(got) != 101 || sum != 2400 || got["other"] != 1600 {
			t.Errorf("%s has %d values of %s, %v in all and %v other; want 101, 2400 and 1600", name, len(got), label, sum, got["other"])
		}
	}
}
