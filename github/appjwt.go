package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// GitHub accepts a JSON Web Token for at most ten minutes, and recommends to set its
// beginning a minute back, since clocks differ
// (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
const (
	jwtBack  = time.Minute
	jwtValid = 9 * time.Minute
	jwtRenew = 5 * time.Minute
)

// AppCredentials returns a CredentialsFunc of a GitHub App, for [AppHook]: a JSON Web Token
// signed with RS256, which is made anew every five minutes. The app is the client ID of
// the App, or its ID in decimal. The clock of this machine must be right to a minute.
//
// [ParseAppKey] reads the key that GitHub lets the owner of the App download.
// AppCredentials panics if app is empty or key is nil.
func AppCredentials(app string, key *rsa.PrivateKey) CredentialsFunc {
	if app == "" || key == nil {
		panic("github: AppCredentials needs an App and its key")
	}
	j := &appJWT{app: app, key: key}
	return j.header
}

// An appJWT makes the tokens of one App.
type appJWT struct {
	app string
	key *rsa.PrivateKey

	mu    sync.Mutex
	value webhook.Secret
	until time.Time // when a new one is made
}

// header returns the value of the Authorization header.
func (j *appJWT) header(context.Context) (webhook.Secret, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now().Round(0)                                      // the monotonic clock may stop while the machine sleeps
	if now.Before(j.until) && now.After(j.until.Add(-2*jwtRenew)) { // the clock may have been set back
		return j.value, nil
	}
	token, err := j.sign(now)
	if err != nil {
		return webhook.Secret{}, err
	}
	j.value, j.until = webhook.NewSecret("Bearer "+token), now.Add(jwtRenew)
	return j.value, nil
}

// sign returns a token that is valid from now on (RFC 7515, RFC 7519).
func (j *appJWT) sign(now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iat": now.Add(-jwtBack).Unix(),
		"exp": now.Add(jwtValid).Unix(),
		"iss": j.app,
	})
	if err != nil {
		return "", err
	}
	text := encodeJWT([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encodeJWT(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, j.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("github: sign the token of the App: %w", err)
	}
	return text + "." + encodeJWT(signature), nil
}

func encodeJWT(part []byte) string { return base64.RawURLEncoding.EncodeToString(part) }

// ParseAppKey returns the private key of a GitHub App from its PEM file, in the form of
// PKCS #1, in which GitHub makes it, or of PKCS #8. The error does not contain the text.
func ParseAppKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("github: the key of the App is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("github: the key of the App is neither PKCS #1 nor PKCS #8, but %q", block.Type)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("github: the key of the App is %T, want RSA", parsed)
	}
	return key, nil
}
