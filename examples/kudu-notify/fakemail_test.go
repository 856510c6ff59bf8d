package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A fakeMailServer is an SMTP server that requires STARTTLS and a password.
type fakeMailServer struct {
	addr           string
	busy           atomic.Bool          // rejects mail temporarily
	closeAfterMail atomic.Bool          // closes the connection after it has accepted a mail
	noAnswer       atomic.Bool          // closes the connection when it has the whole mail
	busyAtEnd      atomic.Bool          // rejects a whole mail temporarily
	gate           atomic.Pointer[gate] // blocks the answer to a whole mail, if not nil
	reject         sync.Map             // rejected recipients and their reply codes
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
	server := m.server()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return m
}

func (m *fakeMailServer) server() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailSession{server: m, conn: c}, nil
	}))
	server.Domain, server.TLSConfig = "mail.test", &tls.Config{Certificates: []tls.Certificate{mailCertificate}}
	server.ErrorLog = log.New(io.Discard, "", 0)
	return server
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
	if s.server.busyAtEnd.Load() {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"}
	}
	s.server.accepted <- s.mailed
	if s.server.noAnswer.Load() {
		_ = s.conn.Conn().Close()
	}
	if g := s.server.gate.Load(); g != nil {
		g.arrived <- struct{}{}
		<-g.open
	}
	return nil
}

// Reset is called after a mail is accepted, among other times.
func (s *mailSession) Reset() {
	if s.mailed.mail != nil && s.server.closeAfterMail.Load() {
		_ = s.conn.Conn().Close()
	}
}

func (*mailSession) Logout() error { return nil }

// mailCertificate is the certificate of every fakeMailServer. SSL_CERT_FILE names the
// file of its root.
var mailCertificate tls.Certificate

// newCertificate returns a certificate for 127.0.0.1 and its root as PEM. It is valid
// since the time at which a synctest bubble begins.
func newCertificate() (tls.Certificate, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
