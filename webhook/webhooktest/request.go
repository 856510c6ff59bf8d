package webhooktest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// clientAddr is the RemoteAddr of requests that came over no connection: an
// address that RFC 5737 keeps for examples.
const clientAddr = "192.0.2.1:1234"

// NewRequest returns a POST request as a server sees it, signed so that src
// accepts it: with its first live key, by the [webhook.Signer] that its
// verifier is. Pass it to a handler's ServeHTTP; it is not for an http.Client.
//
// Target is a path or a URL. Where the source wants a token in the path, a
// wildcard such as "/hooks/dockerhub/{token}" is filled, and the path value is
// set for handlers that are called without a ServeMux. Header holds names and
// values in turn; they are set before the request is signed, so that a
// signature may cover them. Content-Type is application/json unless given.
//
// It panics if the target cannot be parsed, a header has no value, or the
// source's verifier cannot sign: a test cannot go on from there.
func NewRequest(src webhook.Source, target string, body []byte, header ...string) *http.Request {
	if len(header)%2 != 0 {
		panic("webhooktest: NewRequest: header " + header[len(header)-1] + " has no value")
	}
	r, err := http.NewRequest(http.MethodPost, target, bytes.NewReader(body)) //nolint:noctx // the caller sets one with WithContext
	if err != nil {
		panic(fmt.Sprintf("webhooktest: NewRequest: %v", err))
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	signer, ok := src.Verifier.(webhook.Signer)
	if !ok {
		panic(fmt.Sprintf("webhooktest: NewRequest: source %s: a %T cannot sign", src.Name, src.Verifier))
	}
	if err := signer.Sign(r, body); err != nil {
		panic(fmt.Sprintf("webhooktest: NewRequest: source %s: %v", src.Name, err))
	}
	asReceived(r, body)
	return r
}

// asReceived changes r from what a client sends to what a server is handed.
func asReceived(r *http.Request, body []byte) {
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.Host == "" {
		r.Host = "example.com"
	}
	if r.URL.Scheme == "https" {
		r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: r.URL.Hostname()}
	}
	u := *r.URL
	u.Scheme, u.Host, u.User, u.Fragment, u.RawFragment = "", "", nil, "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	r.URL = &u
	r.RequestURI = u.RequestURI()
	r.RemoteAddr = clientAddr
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.ContentLength = int64(len(body))
	r.Body = http.NoBody
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.GetBody = nil
}
