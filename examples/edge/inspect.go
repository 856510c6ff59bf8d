package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

const (
	// inspectPath is where -admin-addr serves the inspector, which shows the deliveries.
	inspectPath = "/inspect/"
	// inspectName is the variable of its passwords.
	inspectName = "INSPECTOR_PASSWORD"
)

// A guard decides who may use the inspector: who sends one of the passwords or, without
// passwords, everybody on this machine.
type guard struct{ passwords []webhook.Secret }

// readGuard reads the passwords of the inspector. It returns an error if there are none and
// other machines can reach adminAddr, the value of -admin-addr.
func readGuard(getenv func(string) string, adminAddr string) (guard, error) {
	passwords, err := readSecrets(getenv, inspectName)
	if err != nil || adminAddr == "" {
		return guard{passwords}, err
	}
	host, _, err := net.SplitHostPort(adminAddr)
	switch {
	case err != nil:
		return guard{}, fmt.Errorf("-admin-addr: %w", err)
	case len(passwords) == 0 && !isLoopback(host):
		return guard{}, fmt.Errorf("-admin-addr: other machines can reach %q, and with it the inspector, which shows what is stored: "+
			"set %s to the output of openssl rand -hex 32, or listen on 127.0.0.1", adminAddr, inspectName)
	}
	return guard{passwords}, nil
}

// isLoopback reports whether nobody but this machine can reach a host.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// protect is an inspect.Protect. A password is sent by Basic authentication, with any user
// name: acts are recorded with it.
func (g guard) protect(w http.ResponseWriter, r *http.Request) (by string, ok bool) {
	if len(g.passwords) == 0 {
		return inspect.LoopbackOnly(w, r)
	}
	name, given, _ := r.BasicAuth()
	for _, password := range g.passwords {
		if password.Equal([]byte(given)) { // in constant time
			return name, true
		}
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="inspector", charset="UTF-8"`)
	http.Error(w, "The inspector needs a password, with your name as the user.", http.StatusUnauthorized)
	return "", false
}
