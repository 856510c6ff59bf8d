package handshake

import (
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Func is a value for [webhook.Source.Handshake], which states its contract.
type Func = func(r *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer

// Combine returns a Func that calls each of several in turn until one has an answer. It is
// for a sender with several handshakes, and for several senders at one address. A Func sees
// the requests of all of them: it must not answer what is a delivery of another one.
// Combine panics if there are no funcs, or if one is nil.
func Combine(funcs ...Func) Func {
	if len(funcs) == 0 {
		panic("handshake: Combine has no funcs")
	}
	for i, f := range funcs {
		if f == nil {
			panic(fmt.Sprintf("handshake: Combine: func %d is nil", i+1))
		}
	}
	return func(r *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
		for _, f := range funcs {
			if a := f(r, body, proof); a != nil {
				return a
			}
		}
		return nil
	}
}

// jsonAnswer returns an answer of 200 with a JSON document.
func jsonAnswer(document []byte) *webhook.Answer {
	return &webhook.Answer{Header: http.Header{"Content-Type": {"application/json"}}, Body: document}
}

// textAnswer returns an answer with plain text.
func textAnswer(status int, text string) *webhook.Answer {
	return &webhook.Answer{Status: status, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(text)}
}
