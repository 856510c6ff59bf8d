package main

import (
	"crypto/sha1" //nolint:gosec // GitHub still sends X-Hub-Signature
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/webhook"
)

// What the senders share with every contender.
const (
	secretText   = "a secret for the benchmark only"
	standardText = "whsec_YSBzZWNyZXQgZm9yIHRoZSBiZW5jaG1hcmsgb25seQ=="
	pathToken    = "t0k3n-in-the-path"
	deliveryID   = "7d0c1f8a-5b1e-11f1-9c6e-3a1d5e0b9f42"
)

// A call is one HTTP request and the ResponseWriter it is answered on, made as a
// server makes them and used again for each iteration, so that the harness
// itself costs next to nothing: the request value is written anew, the header
// map is shared by all iterations. It implements [http.ResponseWriter]; what
// is written is counted and dropped. Not safe for concurrent use.
type call struct {
	text     string
	template http.Request
	request  http.Request
	reader   strings.Reader
	closer   io.ReadCloser

	header http.Header // of the answer
	status int
}

// newCall signs the body as the sender does, now.
func newCall(from sender, text string) *call {
	c := &call{text: text, header: make(http.Header)}
	c.closer = io.NopCloser(&c.reader)
	header, path := headerOf(from, text)
	c.template = http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: path}, RequestURI: path,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "hooks.lantern.example", RemoteAddr: "192.0.2.1:4711",
		Header: header, ContentLength: int64(len(text)),
	}
	if from == dockerHub {
		c.template.SetPathValue("token", pathToken)
	}
	return c
}

// serve lets h answer a fresh request and returns the status.
func (c *call) serve(h http.Handler) int {
	c.reader.Reset(c.text)
	c.request = c.template
	c.request.Body = c.closer
	c.status = http.StatusOK
	clear(c.header)
	h.ServeHTTP(c, &c.request)
	return c.status
}

func (c *call) Header() http.Header         { return c.header }
func (c *call) WriteHeader(status int)      { c.status = status }
func (c *call) Write(b []byte) (int, error) { return len(b), nil }

// SetReadDeadline is there because net/http's own ResponseWriter has it.
func (c *call) SetReadDeadline(time.Time) error { return nil }

// headerOf returns the headers that a sender's call carries when it arrives at a
// handler, Host apart, and its path.
func headerOf(from sender, text string) (header http.Header, path string) {
	header = http.Header{
		"Accept":         {"*/*"},
		"Content-Type":   {"application/json"},
		"Content-Length": {strconv.Itoa(len(text))},
	}
	switch from {
	case gitHub:
		header.Set("User-Agent", "GitHub-Hookshot/8b1e2c4")
		header.Set("X-GitHub-Event", "push")
		header.Set("X-GitHub-Delivery", deliveryID)
		header.Set("X-GitHub-Hook-ID", "482910337")
		header.Set("X-GitHub-Hook-Installation-Target-Type", "repository")
		header.Set("X-GitHub-Hook-Installation-Target-ID", "731902846")
		keys := webhook.Keys(webhook.NewSecret(secretText))
		sign(header, text, &webhook.HMAC{Header: "X-Hub-Signature", Prefix: "sha1=", Hash: sha1.New, Keys: keys})
		sign(header, text, &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: keys})
		return header, "/hooks/github"
	case standardWebhook:
		header.Set("User-Agent", "Lantern-Webhooks/1.0")
		header.Set(standardwebhooks.HeaderWebhookID, deliveryID)
		header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(time.Now().Unix(), 10))
		header.Set(standardwebhooks.HeaderWebhookSignature, standardSignature(text))
		return header, "/hooks/standard"
	default:
		header.Set("User-Agent", "Docker-Hub")
		return header, "/hooks/dockerhub/" + pathToken
	}
}

func sign(header http.Header, text string, mac *webhook.HMAC) {
	if err := mac.Sign(&http.Request{Header: header}, []byte(text)); err != nil {
		panic(fmt.Sprintf("bench: %v", err))
	}
}

func standardSignature(text string) string {
	wh, err := standardwebhooks.NewWebhook(standardText)
	if err != nil {
		panic(fmt.Sprintf("bench: %v", err))
	}
	signature, err := wh.Sign(deliveryID, time.Now(), []byte(text))
	if err != nil {
		panic(fmt.Sprintf("bench: %v", err))
	}
	return signature
}
