package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// waitTimeout is the timeout of all waits in tests.
const waitTimeout = 2 * time.Minute

// next receives the next value, and fails the test after waitTimeout.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(waitTimeout):
		t.Fatalf("timeout after %s", waitTimeout)
		panic("unreachable")
	}
}

// A fakeTarget is a fake of Slack or of the URL target.
type fakeTarget struct {
	url      string
	status   atomic.Int32         // status of responses; 0 means 200
	failOnly atomic.Value         // string; status applies only to bodies that contain it, or to all if not set
	gate     atomic.Pointer[gate] // blocks requests, if not nil
	requests chan struct{}        // one value for each request
	accepted chan request         // requests answered with 200
}

// A gate blocks requests.
type gate struct {
	arrived chan struct{} // one value for each request
	open    chan struct{} // closed to let the requests continue
}

type request struct {
	path, id string
	body     []byte
}

func newFakeTarget(t *testing.T) *fakeTarget {
	rc := &fakeTarget{requests: make(chan struct{}, 1000), accepted: make(chan request, 1000)}
	server := httptest.NewServer(rc)
	t.Cleanup(server.Close)
	rc.url = server.URL
	return rc
}

func (rc *fakeTarget) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if g := rc.gate.Load(); g != nil {
		g.arrived <- struct{}{}
		<-g.open
	}
	rc.requests <- struct{}{}
	only, _ := rc.failOnly.Load().(string)
	if status := rc.status.Load(); status != 0 && bytes.Contains(body, []byte(only)) {
		w.WriteHeader(int(status))
		return
	}
	rc.accepted <- request{r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), body}
}

// notice returns the next notice of a URL target.
func (rc *fakeTarget) notice(t *testing.T) notice {
	t.Helper()
	var n notice
	if err := json.Unmarshal(next(t, rc.accepted).body, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// message returns the next message of Slack.
func (rc *fakeTarget) message(t *testing.T) slackBody {
	t.Helper()
	p := next(t, rc.accepted)
	var m slackBody
	d := json.NewDecoder(bytes.NewReader(p.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	return m
}

// A fakeMailServer is an SMTP server that requires STARTTLS and a password.
type fakeMailServer struct {
	addr, caFile   string
	busy           atomic.Bool // rejects mail temporarily
	closeAfterMail atomic.Bool // closes the connection after it has accepted a mail
	reject         sync.Map    // rejected recipients and their reply codes
	attempts       chan struct{}
	accepted       chan receivedMail
}

type receivedMail struct {
	from string
	to   []string
	tls  bool
	mail *mail.Message
	text string
}

func newFakeMailServer(t *testing.T) *fakeMailServer {
	t.Helper()
	m := &fakeMailServer{attempts: make(chan struct{}, 1000), accepted: make(chan receivedMail, 1000)}
	certificate, ca := newCertificate(t)
	m.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(m.caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailSession{server: m, conn: c}, nil
	}))
	server.Domain, server.TLSConfig = "mail.test", &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return m
}

// A mailSession is one connection. go-smtp accepts passwords only over TLS.
type mailSession struct {
	server        *fakeMailServer
	conn          *smtp.Conn
	authenticated bool
	mailed        receivedMail
}

func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.authenticated = user == "mailer" && password == smtpPassword; !s.authenticated {
			return errors.New("wrong user or password")
		}
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.server.attempts <- struct{}{}
	if !s.authenticated {
		return smtp.ErrAuthRequired
	}
	if s.server.busy.Load() {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "busy"}
	}
	_, overTLS := s.conn.TLSConnectionState()
	s.mailed = receivedMail{from: from, tls: overTLS}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if code, ok := s.server.reject.Load(to); ok {
		return &smtp.SMTPError{Code: code.(int), EnhancedCode: smtp.EnhancedCode{code.(int) / 100, 1, 1}, Message: "not this one"}
	}
	s.mailed.to = append(s.mailed.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	var err error
	if s.mailed.mail, err = mail.ReadMessage(r); err != nil {
		return err
	}
	text, err := io.ReadAll(s.mailed.mail.Body)
	if err != nil {
		return err
	}
	s.mailed.text = string(text)
	s.server.accepted <- s.mailed
	return nil
}

// Reset is called after a mail is accepted, among other times.
func (s *mailSession) Reset() {
	if s.mailed.mail != nil && s.server.closeAfterMail.Load() {
		_ = s.conn.Conn().Close()
	}
}

func (*mailSession) Logout() error { return nil }

// newCertificate returns a certificate for 127.0.0.1 and its root as PEM.
func newCertificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
