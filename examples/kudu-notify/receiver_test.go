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

// patience bounds how long a test waits for what must come.
const patience = 2 * time.Minute

// next returns what comes next.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nobody was told")
		panic("unreachable")
	}
}

// A receiver stands in for Slack, and for the plain URL.
type receiver struct {
	url    string
	status atomic.Int32         // what it answers; 0: 200
	only   atomic.Value         // the string that a body must have to be answered so; none: any body
	gate   atomic.Pointer[gate] // holds calls up; nil: none
	tried  chan struct{}        // one for each call, whatever its answer
	got    chan posted          // what was answered with 200
}

// A gate is where calls wait.
type gate struct {
	arrived chan struct{} // one for each call
	open    chan struct{} // closed: they may go on
}

type posted struct {
	path, id string
	body     []byte
}

func newReceiver(t *testing.T) *receiver {
	rc := &receiver{tried: make(chan struct{}, 1000), got: make(chan posted, 1000)}
	server := httptest.NewServer(rc)
	t.Cleanup(server.Close)
	rc.url = server.URL
	return rc
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if g := rc.gate.Load(); g != nil {
		g.arrived <- struct{}{}
		<-g.open
	}
	rc.tried <- struct{}{}
	only, _ := rc.only.Load().(string)
	if status := rc.status.Load(); status != 0 && bytes.Contains(body, []byte(only)) {
		w.WriteHeader(int(status))
		return
	}
	rc.got <- posted{r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), body}
}

// notice returns the next one, of a plain URL.
func (rc *receiver) notice(t *testing.T) notice {
	t.Helper()
	var n notice
	if err := json.Unmarshal(next(t, rc.got).body, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// message returns the next one, of Slack.
func (rc *receiver) message(t *testing.T) slackBody {
	t.Helper()
	p := next(t, rc.got)
	var m slackBody
	d := json.NewDecoder(bytes.NewReader(p.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	return m
}

// A mailServer is an SMTP server that wants STARTTLS and a password.
type mailServer struct {
	addr, caFile string
	busy         atomic.Bool // refuses mail for the moment
	hangsUp      atomic.Bool // once it has taken a mail
	refuse       sync.Map    // recipients, and the codes that they are refused with
	tried        chan struct{}
	got          chan mailed
}

type mailed struct {
	from string
	to   []string
	tls  bool
	mail *mail.Message
	text string
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{tried: make(chan struct{}, 1000), got: make(chan mailed, 1000)}
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

// A mailSession is one connection; go-smtp takes passwords over TLS only.
type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	signed bool
	mailed mailed
}

func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.signed = user == "mailer" && password == smtpPassword; !s.signed {
			return errors.New("wrong user or password")
		}
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.server.tried <- struct{}{}
	if !s.signed {
		return smtp.ErrAuthRequired
	}
	if s.server.busy.Load() {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "busy"}
	}
	_, overTLS := s.conn.TLSConnectionState()
	s.mailed = mailed{from: from, tls: overTLS}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if code, ok := s.server.refuse.Load(to); ok {
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
	s.server.got <- s.mailed
	return nil
}

// Reset is called when a mail has been taken, among other times.
func (s *mailSession) Reset() {
	if s.mailed.mail != nil && s.server.hangsUp.Load() {
		_ = s.conn.Conn().Close()
	}
}

func (*mailSession) Logout() error { return nil }

// newCertificate returns one for 127.0.0.1 and, as PEM, what it is trusted by.
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
