package webhook_test

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestServiceRefusesNegativeDurations(t *testing.T) {
	for want, change := range map[string]func(s *webhook.Service){
		"webhook: Service.ShutdownDelay is -1s, which is negative":    func(s *webhook.Service) { s.ShutdownDelay = -time.Second },
		"webhook: Service.ShutdownTimeout is -1ns, which is negative": func(s *webhook.Service) { s.ShutdownTimeout = -1 },
	} {
		l := newPipeListener()
		s := &webhook.Service{Server: &http.Server{}, Listener: l}
		change(s)
		if err := s.Run(t.Context()); err == nil || err.Error() != want {
			t.Errorf("Run = %v, want %s", err, want)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: Accept = %v, want a closed listener", want, err)
		}
	}
}

func TestServiceRefusesTLSWithoutCertificates(t *testing.T) {
	for name, config := range map[string]*tls.Config{"no TLSConfig": nil, "an empty TLSConfig": {}} {
		t.Run(name, func(t *testing.T) {
			l := newPipeListener()
			s := &webhook.Service{Server: &http.Server{TLSConfig: config}, Listener: l, TLS: true}
			const want = "webhook: Service.TLS needs certificates in Server.TLSConfig"
			if err := s.Run(t.Context()); err == nil || err.Error() != want {
				t.Errorf("Run = %v, want %s", err, want)
			}
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept = %v, want a closed listener", err)
			}
		})
	}
}
