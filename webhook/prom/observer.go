package prom

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Observer returns an Observer that counts the events of Receivers, Workers and Spools. All
// Observers of one Metrics count together.
func (m *Metrics) Observer() *webhook.Observer {
	return &webhook.Observer{
		Rejected: func(_ context.Context, source string, status int, _ error) {
			m.rejected.WithLabelValues(m.sources.label(source), strconv.Itoa(status)).Inc()
		},
		Received: func(_ context.Context, d *webhook.Delivery, err error, took time.Duration) {
			source, outcome := m.sources.label(d.Source), outcomeOf(err)
			m.received.WithLabelValues(source, m.types.label(d.Type), outcome).Inc()
			observe(m.receiveTime.WithLabelValues(source, outcome), took, d)
			m.bodySize.WithLabelValues(source).Observe(float64(len(d.Body)))
		},
		Claimed: func(_ context.Context, c webhook.Claim) {
			typ := m.types.label(c.Delivery.Type)
			m.claims.WithLabelValues(typ).Inc()
			if lag := time.Since(c.Delivery.ReceivedAt); c.Attempt == 1 {
				observe(m.lag.WithLabelValues(typ), max(lag, 0), c.Delivery)
			}
		},
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, took time.Duration) {
			typ := m.types.label(c.Delivery.Type)
			m.attempts.WithLabelValues(typ, string(o.State)).Inc()
			if took > 0 {
				observe(m.attemptTime.WithLabelValues(typ), took, c.Delivery)
			}
		},
		Lost: func(_ context.Context, c webhook.Claim) {
			m.lost.WithLabelValues(m.types.label(c.Delivery.Type)).Inc()
		},
		Overdue: func(_ context.Context, c webhook.Claim, _ time.Duration) {
			m.overdue.WithLabelValues(m.types.label(c.Delivery.Type)).Inc()
		},
	}
}

// outcomeOf returns the outcome of a Receiver's Handler. The error is the Handler's own:
// one whose methods panic, such as a typed nil pointer, is a failure.
func outcomeOf(err error) (outcome string) {
	defer func() {
		if recover() != nil {
			outcome = "failed"
		}
	}()
	switch {
	case err == nil:
		return "accepted"
	case webhook.IsDuplicate(err):
		return "duplicate"
	case webhook.StatusCode(err) == http.StatusAccepted:
		return "ignored"
	}
	return "failed"
}

// InboxObserver returns an Observer that counts the events of a [sqlinbox.Inbox].
func (m *Metrics) InboxObserver() *sqlinbox.Observer {
	return &sqlinbox.Observer{
		Stored: func(_ context.Context, d *webhook.Delivery, took time.Duration) {
			m.stored.WithLabelValues(m.sources.label(d.Source)).Inc()
			observe(m.putTime, took, d)
		},
		Duplicate: func(_ context.Context, d *webhook.Delivery, _ *webhook.DuplicateError) {
			m.duplicates.WithLabelValues(m.sources.label(d.Source)).Inc()
		},
		Superseded: func(_ context.Context, _ string, by *webhook.Delivery) {
			m.superseded.WithLabelValues(m.sources.label(by.Source)).Inc()
		},
		Refused: func(_ context.Context, d *webhook.Delivery, _ error) {
			m.refused.WithLabelValues(m.sources.label(d.Source)).Inc()
		},
		Batch: func(puts, bytes int, took time.Duration, err error) {
			if err != nil {
				m.commitTime.WithLabelValues("error").Observe(took.Seconds())
				return
			}
			m.commitTime.WithLabelValues("ok").Observe(took.Seconds())
			m.batchPuts.Observe(float64(puts))
			m.batchSize.Observe(float64(bytes))
		},
		Swept:    func(_ context.Context, n int) { m.swept.Add(float64(n)) },
		Repaired: func(context.Context, string, string) { m.repaired.Inc() },
	}
}

// observe observes a duration, with the trace of the delivery as its exemplar.
func observe(to prometheus.Observer, took time.Duration, d *webhook.Delivery) {
	if id, ok := sampledTrace(d); ok {
		if e, ok := to.(prometheus.ExemplarObserver); ok {
			e.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": id})
			return
		}
	}
	to.Observe(took.Seconds())
}

// sampledTrace returns the trace ID of the delivery's Traceparent if that is sampled. Its
// form is in https://www.w3.org/TR/trace-context/#traceparent-header: two digits of the
// version, 32 of the trace ID, 16 of the parent ID and two of the flags, in lower case.
func sampledTrace(d *webhook.Delivery) (id string, ok bool) {
	values := d.Header["Traceparent"]
	if len(values) != 1 {
		return "", false
	}
	text := values[0]
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' || len(text) > 55 && text[55] != '-' {
		return "", false
	}
	flags, err := strconv.ParseUint(text[53:55], 16, 8)
	if err != nil || flags&1 == 0 || text[:2] == "ff" || text[:2] == "00" && len(text) > 55 {
		return "", false
	}
	id = text[3:35]
	zero := true
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", false
		}
		zero = zero && c == '0'
	}
	return id, !zero
}
