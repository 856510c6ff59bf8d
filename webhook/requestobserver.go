package webhook

import "context"

type requestObserverKey struct{}

// WithObserver returns a context for a request, with which o gets the events of this
// request too. It is for an http.Handler around a [Receiver]:
//
//   - The Receiver calls Rejected or Received of o after those of its own Observer.
//   - [Source.Middleware] calls Rejected.
//   - The other funcs of o are not called.
//   - If ctx has an Observer already, both get the events.
//
// If o is nil, WithObserver returns ctx.
func WithObserver(ctx context.Context, o *Observer) context.Context {
	if o == nil {
		return ctx
	}
	if before := requestObserver(ctx); before != nil {
		o = MultiObserver(before, o)
	}
	return context.WithValue(ctx, requestObserverKey{}, o)
}

// requestObserver returns the Observer of a request, or nil.
func requestObserver(ctx context.Context) *Observer {
	o, _ := ctx.Value(requestObserverKey{}).(*Observer)
	return o
}

// observers returns the Observer of the Receiver and that of the request. Each may be nil.
func (rc *Receiver) observers(ctx context.Context) [2]*Observer {
	return [2]*Observer{rc.Observer, requestObserver(ctx)}
}
