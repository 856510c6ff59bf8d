package webhooktest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// clientAddr is the RemoteAddr of requests that have no connection, an address that
// RFC 5737 reserves for examples.
const clientAddr = "192.0.2.1:1234"

// NewRequest returns a POST request as a server gets it, for the ServeHTTP of a
// handler. It is not for an http.Client. The request is signed with the first valid
// key of the verifier of src, which must be a [webhook.Signer].
//
// The target is a path or a URL. If the source expects a token in the path, target
// contains a wildcard, for example "/hooks/dockerhub/{token}", which NewRequest
// replaces by the token. It also sets the path value, for a handler that is called
// without a ServeMux. The arguments header are names and values in turn. They are set
// before the request is signed, so that the signature can include them. Content-Type
// is application/json if header has none.
//
// A form needs its Content-Type in header: "application/x-www-form-urlencoded". Path
// values other than the token are not set before the request is signed. So if KeysFor or
// URLFunc of the verifier reads them, sign with a copy of src whose verifier has Keys or
// URL, those of one tenant.
//
// NewRequest panics if target cannot be parsed, the last name in header has no
// value, or the verifier cannot sign.
func NewRequest(src webhook.Source, target string, body []byte, header ...string) *http.Request {
	if len(header)%2 != 0 {
		panic("webhooktest: NewRequest: header " + header[len(header)-1] + " has no value")
	}
	r, err := http.NewRequest(http.MethodPost, target, bytes.NewReader(body)) //nolint:noctx // the caller can set one by WithContext
	if err != nil {
		panic(fmt.Sprintf("webhooktest: NewRequest: %v", err))
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	signer, ok := src.Verifier.(webhook.Signer)
	if !ok {
		panic(fmt.Sprintf("webhooktest: NewRequest: source %s: %T is not a webhook.Signer", src.Name, src.Verifier))
	}
	if err := signer.Sign(r, body); err != nil {
		panic(fmt.Sprintf("webhooktest: NewRequest: source %s: %v", src.Name, err))
	}
	asReceived(r, body)
	return r
}

// asReceived changes r from a request of a client to one of a server.
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
