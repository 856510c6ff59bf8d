// Package hookbound declares what internal/bench/lines/publishing uses of hookbound 0.2.0
// (https://github.com/kzelealem/hookbound), whose module the proxy of the tests does not have:
// the names and types, without any code. With it the service is compiled, and cannot be run.
package hookbound

import "net/http"

// A SendRequest is a call of a URL, which the runtime of package postgres makes later.
type SendRequest struct {
	ID          string
	URL         string
	EventType   string
	Body        []byte
	ContentType string
	Headers     http.Header
}

// JSONBody encodes a value.
func JSONBody(value any) ([]byte, error) { panic("declared only") }
