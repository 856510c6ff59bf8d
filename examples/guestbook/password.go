package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// withPassword asks for one of the passwords, by Basic authentication with any user name.
func withPassword(passwords []webhook.Secret, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		for _, password := range passwords {
			if password.Equal([]byte(given)) { // in constant time
				next.ServeHTTP(w, r)
				return
			}
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="Webhooks of the guestbook", charset="UTF-8"`)
		http.Error(w, "The management of the webhooks needs a password.", http.StatusUnauthorized)
	})
}

// labelOf returns a label for a key that nobody can guess: how its digest begins.
func labelOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}
