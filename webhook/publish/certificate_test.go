package publish_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// selfSigned returns a certificate that no client trusts.
func selfSigned(t *testing.T, host string) tls.Certificate {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestACertificateIsVerifiedUnlessTheOwnerSaysOtherwise(t *testing.T) {
	for insecure, want := range map[bool]publish.Result{false: publish.Failed, true: publish.Delivered} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			config := &tls.Config{Certificates: []tls.Certificate{selfSigned(t, "a")}}
			pipes := &pipes{serve: func(_ context.Context, c net.Conn) {
				secure := tls.Server(c, config)
				if readRequest(secure) == nil {
					write(secure, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
				}
			}}
			transport := publish.NewTransport(pipes.dial, insecure)
			r.Transport = transport
			r.create("a")
			r.start()
			r.publish(publish.Event{})
			advance(time.Second)
			a := r.attempts("a")
			if len(a) != 1 || a[0].Result != want {
				t.Errorf("insecure %v: attempts %+v, want one %s", insecure, a, want)
			}
			if !insecure && !strings.Contains(a[0].Reason, "certificate") {
				t.Errorf("reason %q, want one that names the certificate", a[0].Reason)
			}
			r.stop()
			transport.CloseIdleConnections()
			pipes.running.Wait()
		})
	}
}
