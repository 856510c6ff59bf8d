package publish

import "context"

// An Observer receives what happens to endpoints, for metrics and for words to their owners.
// Each field may be nil. They are called concurrently, after the attempt is recorded, by the
// goroutine that sends: they should return soon. One that panics is logged. The Endpoint must
// not be changed.
type Observer struct {
	// Attempted is called after each attempt, also one that is [Skipped].
	Attempted func(ctx context.Context, e *Endpoint, a Attempt)
	// Failing is called when an endpoint begins to fail: once for the first failure after a
	// success, by one of the processes. The Attempt names the event. If the process ends
	// between the recording and the call, the next call is that of Disabled.
	Failing func(ctx context.Context, e *Endpoint, a Attempt)
	// Disabled is called once when the Publisher has disabled an endpoint, by the process
	// that did it; Reason says why.
	Disabled func(ctx context.Context, e *Endpoint)
}

func (p *Publisher) attempted(ctx context.Context, e *Endpoint, a Attempt) {
	if o := p.Observer; o != nil && o.Attempted != nil {
		p.observe(func() { o.Attempted(ctx, e, a) })
	}
}

func (p *Publisher) failing(ctx context.Context, e *Endpoint, a Attempt) {
	p.logger().Warn("endpoint begins to fail", "endpoint", e, "event", a.Event, "type", a.Type, "status", a.Status, "reason", a.Reason)
	if o := p.Observer; o != nil && o.Failing != nil {
		p.observe(func() { o.Failing(ctx, e, a) })
	}
}

func (p *Publisher) disabled(ctx context.Context, e *Endpoint) {
	p.logger().Warn("endpoint is disabled", "endpoint", e, "reason", e.Reason)
	if o := p.Observer; o != nil && o.Disabled != nil {
		p.observe(func() { o.Disabled(ctx, e) })
	}
}

// observe calls f. Its panic must not change what becomes of the delivery.
func (p *Publisher) observe(f func()) {
	defer func() {
		if v := recover(); v != nil {
			p.logger().Error("a func of the Observer panicked", "panic", v)
		}
	}()
	f()
}
