package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// BasicAuth verifies the password of HTTP Basic authentication. A request without
// credentials is answered with 401 and a challenge. Some senders send their
// credentials only after a challenge. Like [Token], BasicAuth proves nothing about
// the body. The fields must not be changed after Validate.
type BasicAuth struct {
	Realm    string       // if empty, "webhook"
	User     string       // if empty, any user name is accepted
	Keys     []Key        // accepted passwords, all of one sender; see [Key]
	KeysFunc func() []Key // if not nil, returns the keys in place of Keys; called for each request
	// KeysFor, if not nil, returns the passwords of the sender of a request; see
	// [HMAC.KeysFor]. It is called for any request with Basic credentials, since Admit
	// compares them. A [Receiver] calls it once for a request.
	KeysFor func(*http.Request) ([]Key, error)

	valid atomic.Bool
}

// Validate refuses an empty key list, an empty secret, more than one of Keys, KeysFunc
// and KeysFor, and a user name with a colon, which Basic authentication cannot transmit.
func (b *BasicAuth) Validate() error {
	if strings.Contains(b.User, ":") {
		return errors.New("webhook: BasicAuth: user name contains a colon")
	}
	if err := b.keySource().validate(nil); err != nil {
		return err
	}
	b.valid.Store(true)
	return nil
}

// Admit returns nil if the credentials match.
func (b *BasicAuth) Admit(r *http.Request) error {
	_, err := b.Verify(r, nil)
	return err
}

// Verify checks the same as Admit. The Proof has the label of the matching key.
func (b *BasicAuth) Verify(r *http.Request, _ []byte) (Proof, error) {
	if !b.valid.Load() {
		return Proof{}, errNotValidated
	}
	if len(r.Header["Authorization"]) > 1 {
		return Proof{}, wrongCount("Authorization", len(r.Header["Authorization"]))
	}
	user, password, ok := r.BasicAuth()
	if !ok || password == "" {
		return Proof{}, unverified("no Basic credentials")
	}
	keys, err := b.keySource().of(r)
	if err != nil {
		return Proof{}, err
	}
	label, ok := matchKey(keys, password)
	if b.User != "" && !NewSecret(b.User).Equal([]byte(user)) {
		ok = false
	}
	if !ok {
		return Proof{}, fmt.Errorf("%w: Basic credentials match no live key %s", ErrUnverified, triedKeys(keys))
	}
	return Proof{KeyLabel: label}, nil
}

func (b *BasicAuth) keySource() keySource {
	return keySource{verifier: "BasicAuth", owner: b, keys: b.Keys, live: b.KeysFunc, each: b.KeysFor}
}

func (b *BasicAuth) paddedSecrets() []string { return b.keySource().padded() }

func (b *BasicAuth) asksKeys() bool { return b.KeysFor != nil }

// Sign sets the credentials with the first key. If User is empty, the user name is
// "hook".
func (b *BasicAuth) Sign(r *http.Request, _ []byte) error {
	key, err := b.keySource().signing(r, nil)
	if err != nil {
		return err
	}
	r.SetBasicAuth(cmp.Or(b.User, "hook"), string(key.Secret.bytes()))
	return nil
}

// Challenge returns the value of WWW-Authenticate.
func (b *BasicAuth) Challenge() string {
	return "Basic realm=" + strconv.QuoteToASCII(cmp.Or(b.Realm, "webhook"))
}

// CredentialHeaders returns Authorization.
func (b *BasicAuth) CredentialHeaders() []string { return []string{"Authorization"} }
