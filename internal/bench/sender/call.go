package sender

import (
	"crypto/sha1" //nolint:gosec // GitHub still sends X-Hub-Signature
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/webhook"
)

// What senders and implementations both know.
const (
	Secret         = "a secret for the benchmark only"
	StandardSecret = "whsec_YSBzZWNyZXQgZm9yIHRoZSBiZW5jaG1hcmsgb25seQ=="
	PathToken      = "t0k3n-in-the-path"
	DeliveryID     = "7d0c1f8a-5b1e-11f1-9c6e-3a1d5e0b9f42"
)

// A Call is an HTTP request and the ResponseWriter for its answer, as a server
// makes them. It is used again for each iteration, so that measuring costs next
// to nothing: the request value is written anew, and all iterations share the
// header map. It implements [http.ResponseWriter] and drops what is written. It
// is not safe for concurrent use.
type Call struct {
	Text     string
	Template http.Request // Serve copies it
	request  http.Request
	reader   strings.Reader
	closer   io.ReadCloser

	header http.Header // of the answer
	status int
}

// NewCall signs a body as its sender does, now.
func NewCall(from Sender, text string) *Call {
	c := &Call{Text: text, header: make(http.Header)}
	c.closer = io.NopCloser(&c.reader)
	header, path := Header(from, text)
	c.Template = http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: path}, RequestURI: path,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "hooks.lantern.example", RemoteAddr: "192.0.2.1:4711",
		Header: header, ContentLength: int64(len(text)),
	}
	if from == DockerHub {
		c.Template.SetPathValue("token", PathToken)
	}
	return c
}

// Serve lets h answer a new request and returns the status.
func (c *Call) Serve(h http.Handler) int {
	c.reader.Reset(c.Text)
	c.request = c.Template
	c.request.Body = c.closer
	c.status = http.StatusOK
	clear(c.header)
	h.ServeHTTP(c, &c.request)
	return c.status
}

func (c *Call) Header() http.Header         { return c.header }
func (c *Call) WriteHeader(status int)      { c.status = status }
func (c *Call) Write(b []byte) (int, error) { return len(b), nil }

// SetReadDeadline does nothing. The ResponseWriter of net/http has it too.
func (c *Call) SetReadDeadline(time.Time) error { return nil }

// Header returns the headers with which a call arrives at a handler, except Host,
// and its path.
func Header(from Sender, text string) (header http.Header, path string) {
	header = http.Header{
		"Accept":         {"*/*"},
		"Content-Type":   {"application/json"},
		"Content-Length": {strconv.Itoa(len(text))},
	}
	switch from {
	case GitHub:
		header.Set("User-Agent", "GitHub-Hookshot/8b1e2c4")
		header.Set("X-GitHub-Event", "push")
		header.Set("X-GitHub-Delivery", DeliveryID)
		header.Set("X-GitHub-Hook-ID", "482910337")
		header.Set("X-GitHub-Hook-Installation-Target-Type", "repository")
		header.Set("X-GitHub-Hook-Installation-Target-ID", "731902846")
		keys := webhook.Keys(webhook.NewSecret(Secret))
		sign(header, text, &webhook.HMAC{Header: "X-Hub-Signature", Prefix: "sha1=", Hash: sha1.New, Keys: keys})
		sign(header, text, &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: keys})
		return header, "/hooks/github"
	case StandardWebhook:
		header.Set("User-Agent", "Lantern-Webhooks/1.0")
		header.Set(standardwebhooks.HeaderWebhookID, DeliveryID)
		header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(time.Now().Unix(), 10))
		header.Set(standardwebhooks.HeaderWebhookSignature, standardSignature(text))
		return header, "/hooks/standard"
	default:
		header.Set("User-Agent", "Docker-Hub")
		return header, "/hooks/dockerhub/" + PathToken
	}
}

// Path returns the path of a sender's calls.
func Path(from Sender) string {
	_, path := Header(from, "")
	return path
}

func sign(header http.Header, text string, mac *webhook.HMAC) {
	if err := mac.Sign(&http.Request{Header: header}, []byte(text)); err != nil {
		panic(err)
	}
}

func standardSignature(text string) string {
	return must(must(standardwebhooks.NewWebhook(StandardSecret)).Sign(DeliveryID, time.Now(), []byte(text)))
}

// must is for what fails only if this package is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
