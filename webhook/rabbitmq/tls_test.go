package rabbitmq_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// newCertificate returns a certificate of a DNS name that signs itself.
func newCertificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, roots
}

// serveTLS passes TLS connections on to the node and returns the port. The node sees plain ones.
func serveTLS(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer front.Close()
				back, err := net.Dial("tcp", node.Addr())
				if err != nil {
					return
				}
				defer back.Close()
				go func() {
					_, _ = io.Copy(back, front) // the end of either ends both
					back.Close()
				}()
				_, _ = io.Copy(front, back)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func TestTLSIsVerified(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	certificate, roots := newCertificate(t, "localhost")
	port := serveTLS(t, certificate)
	for _, test := range []struct {
		name, host string
		roots      *x509.CertPool
		is         func(err error) bool
	}{
		{"the name of the certificate", "localhost", roots, nil},
		{"another name", "127.0.0.1", roots, func(err error) bool {
			_, ok := errors.AsType[x509.HostnameError](err)
			return ok
		}},
		{"an unknown signer", "localhost", x509.NewCertPool(), func(err error) bool {
			_, ok := errors.AsType[x509.UnknownAuthorityError](err)
			return ok
		}},
	} {
		dial := func(context.Context) (*amqp.Connection, error) {
			return amqp.DialTLS("amqps://guest:guest@"+test.host+":"+port+"/", &tls.Config{RootCAs: test.roots})
		}
		p := rabbitmq.NewPublisher(dial, queue)
		t.Cleanup(func() { p.Close() })
		if test.is == nil {
			publish(t, p, delivery("k", "body"))
			continue
		}
		handled := p.Handle(t.Context(), delivery("k", "body"))
		mustNotStore(t, handled)
		for _, err := range []error{handled, p.Ping(t.Context())} {
			if !errors.Is(err, rabbitmq.ErrConnection) || !test.is(err) || strings.Contains(err.Error(), "guest") {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
	if n := messages(t, node, queue); n != 1 {
		t.Errorf("the queue has %d messages", n)
	}
}
