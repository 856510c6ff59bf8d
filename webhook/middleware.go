package webhook

import (
	"bytes"
	"io"
	"net/http"
)

// Middleware returns an http.Handler that verifies each request and calls next only
// for authentic ones. Use it to keep an http.Handler of your own. In next the body
// can be read from its start, [DeliveryFromContext] returns the Delivery, [Decode]
// decodes its document, into any struct, and [Delivery.Form] returns the fields of a
// form. The answer is the one of next. What [Source.Handshake] answers does not reach
// next. Refusals are answered as by [Receiver] and logged with slog.Default, with
// r.RemoteAddr as the client; behind a proxy, set that before. Middleware panics on a
// Source that [Source.Validate] refuses and on a nil next.
//
// Middleware stores nothing: if next acknowledges a delivery before its work is
// done, the delivery is lost when the process ends. To prevent that, pass the
// Delivery to [Store].
func (s Source) Middleware(next http.Handler) http.Handler {
	if next == nil {
		panic("webhook: Middleware needs a handler")
	}
	in := newIntake(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := in.call(w, r, nil)
		defer c.memory.release()
		got, err := c.receive(defaultReadTimeout)
		if err != nil {
			requestObserver(r.Context()).rejected(r.Context(), s.Name, statusOf(err), err)
			c.reject(nil, err)
			return
		}
		if c.answer != nil {
			c.sendAnswer()
			return
		}
		d := got.withOwnHeader()
		if got.malformed == nil && c.isUntyped(d) {
			c.hintUntyped(d)
		}
		verified := r.WithContext(withDelivery(r.Context(), d))
		verified.Body = io.NopCloser(bytes.NewReader(d.Body))
		verified.ContentLength = int64(len(d.Body))
		next.ServeHTTP(w, verified)
	})
}
