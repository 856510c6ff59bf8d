//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Without -registry the program asks Docker Hub, and the engine pulls by Docker Hub's
// names, here from its mirror. A proxy leads the program to the registry of the test.
func TestEngineDeploysByDockerHubNames(t *testing.T) {
	t.Parallel()
	rig := sharedRig(t)
	if rig == nil {
		return
	}
	s := newSite(t, rig, rig.engine, "-registry=")
	s.declare()
	proxy, certificate := dockerHub(t, rig.hub)
	s.write("ca.pem", certificate)
	s.env = append(s.env, "HTTPS_PROXY="+proxy, "SSL_CERT_FILE="+filepath.Join(s.dir, "ca.pem"), "REGISTRY_USERNAME=acme", "REGISTRY_PASSWORD=a-long-enough-password")
	first := s.deployFirst()
	if got, want := first.Config.Image, s.repository+":latest@"+digestOf(first); got != want {
		t.Errorf("the image is %q, want %q", got, want)
	}
	s.push("2", quickHealth(), "APP_SICK=1")
	s.call("latest")
	s.untilLog(`msg="rolled back"`, 1)
	s.requireUntouched(first)
	digest := s.push("3", quickHealth())
	s.call("latest")
	s.requireOnly(digest)
}

// dockerHub starts a proxy that connects every client to a TLS server with a certificate
// for Docker Hub, which passes the requests on to a registry.
func dockerHub(t *testing.T, f *front) (proxyURL, certificate string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"index.docker.io"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	hub := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization")
		f.server.Config.Handler.ServeHTTP(w, r)
	}))
	hub.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	hub.StartTLS()
	t.Cleanup(hub.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		connectTo(w, hub.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// connectTo answers a CONNECT by copying between the client and an address.
func connectTo(w http.ResponseWriter, addr string) {
	server, err := net.Dial("tcp", addr)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = server.Close()
		return
	}
	_, _ = io.Copy(client, strings.NewReader("HTTP/1.1 200 OK\r\n\r\n"))
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}
