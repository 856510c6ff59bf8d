package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// benchBody is a push of 8 KB, about the size that GitHub sends.
var benchBody = append(append([]byte(`{"ref":"refs/heads/main","x":"`), bytes.Repeat([]byte("x"), 8<<10-33)...), `"}`...)

// benchRequest is a request like GitHub's: eleven headers, eight of them its own.
func benchRequest(b *testing.B, src webhook.Source) *http.Request {
	r := httptest.NewRequest("POST", "/hooks/github", nil)
	for name, value := range map[string]string{
		"Accept":                                 "*/*",
		"Content-Type":                           "application/json",
		"User-Agent":                             "GitHub-Hookshot/0000000",
		"X-Github-Delivery":                      "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"X-Github-Event":                         "push",
		"X-Github-Hook-Id":                       "292430182",
		"X-Github-Hook-Installation-Target-Id":   "79929171",
		"X-Github-Hook-Installation-Target-Type": "repository",
		"X-Hub-Signature":                        "sha1=0000000000000000000000000000000000000000",
		"Accept-Encoding":                        "gzip",
	} {
		r.Header.Set(name, value)
	}
	if err := src.Verifier.(webhook.Signer).Sign(r, benchBody); err != nil {
		b.Fatal(err)
	}
	if len(r.Header) != 11 {
		b.Fatalf("%d headers", len(r.Header))
	}
	return r
}

// A benchWriter is a ResponseWriter with read deadlines that discards the answer.
type benchWriter struct {
	header http.Header
	status int
}

func (w *benchWriter) Header() http.Header             { return w.header }
func (w *benchWriter) WriteHeader(status int)          { w.status = status }
func (w *benchWriter) Write(p []byte) (int, error)     { return len(p), nil }
func (w *benchWriter) SetReadDeadline(time.Time) error { return nil }

// A benchReader is a request's body that can be read again.
type benchReader struct{ bytes.Reader }

func (*benchReader) Close() error { return nil }

func benchRun(b *testing.B, h http.Handler, r *http.Request) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchBody)))
	body := new(benchReader)
	r.Body, r.ContentLength = body, int64(len(benchBody))
	w := &benchWriter{header: http.Header{}}
	for b.Loop() {
		body.Reset(benchBody)
		clear(w.header)
		h.ServeHTTP(w, r)
		if w.status != http.StatusAccepted {
			b.Fatalf("answer %d", w.status)
		}
	}
}

// BenchmarkReceiver is one delivery, verified, described and passed to a Handler
// that does nothing. It has 7 allocations, all but one of them part of the Delivery:
// the body, the UID, the signature, the list of dedup keys and their text, and the
// Delivery itself. The other is the text of the answer.
func BenchmarkReceiver(b *testing.B) {
	src := recvSource()
	src.Describe = func(r *http.Request, _ []byte) webhook.Description {
		return webhook.Description{ID: r.Header.Get("X-Github-Delivery"), Type: "github.push", OrderingKey: "acme/app", DedupBySignature: true}
	}
	benchRun(b, webhook.NewReceiver(src, recvOK), benchRequest(b, src))
}

// BenchmarkReceiverFloor is the work that cannot be avoided: to read the body into
// new memory and compute its MAC.
func BenchmarkReceiverFloor(b *testing.B) {
	var mac hash.Hash = hmac.New(sha256.New, []byte(recvSecret))
	var sum, given [sha256.Size]byte
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			b.Fatal(err)
		}
		mac.Reset()
		mac.Write(body)
		_, _ = hex.Decode(given[:], []byte(r.Header.Get("X-Hub-Signature-256")[len("sha256="):]))
		if !hmac.Equal(mac.Sum(sum[:0]), given[:]) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	benchRun(b, h, benchRequest(b, recvSource()))
}
