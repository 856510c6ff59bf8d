package webhook

import (
	"bytes"
	"io"
	"net/http"
)

// Middleware lets only genuine calls through to next, for users who keep an
// http.Handler of their own. In next the body can be read again from its
// start, [DeliveryFromContext] has the Delivery, and [Decode] its payload; what
// next answers is the answer. Refusals are answered and logged, with
// slog.Default, as [Receiver] does. It panics on a Source that
// [Source.Validate] refuses and on a nil next.
//
// Nothing is stored here: a next that acknowledges first and works later loses
// what it holds when the process ends. Hand the Delivery to [Store] for that.
func (s Source) Middleware(next http.Handler) http.Handler {
	if next == nil {
		panic("webhook: Middleware needs a handler")
	}
	g := newGate(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var paid charge
		defer paid.release()
		d, malformed, err := g.enter(w, r, nil, defaultReadTimeout, &paid)
		if err != nil {
			g.deny(w, r, nil, nil, err)
			return
		}
		if malformed == nil && g.isUntyped(d) {
			g.hintUntyped(r, nil, d)
		}
		again := r.WithContext(withDelivery(r.Context(), d))
		again.Body = io.NopCloser(bytes.NewReader(d.Body))
		again.ContentLength = int64(len(d.Body))
		next.ServeHTTP(w, again)
	})
}
