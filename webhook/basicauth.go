package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// BasicAuth verifies the password of HTTP Basic authentication. A call without
// credentials gets 401 with a challenge, which some senders wait for before
// they send what they have. Like [Token] it proves nothing about the body.
// Fields are not changed after Validate.
type BasicAuth struct {
	Realm    string       // Zero means "webhook".
	User     string       // Zero means any user name.
	Keys     []Key        // the passwords, all live at once; of one sender, see Key
	KeysFunc func() []Key // Zero means Keys. Called for each request.

	valid atomic.Bool
}

// Validate refuses an empty key list, an empty secret, and a user name with a
// colon, which Basic cannot carry.
func (b *BasicAuth) Validate() error {
	if strings.Contains(b.User, ":") {
		return errors.New("webhook: BasicAuth: user name holds a colon")
	}
	if err := validateKeys("BasicAuth", liveKeys(b.Keys, b.KeysFunc)); err != nil {
		return err
	}
	b.valid.Store(true)
	return nil
}

// Admit passes if the credentials are right.
func (b *BasicAuth) Admit(r *http.Request) error {
	_, err := b.Verify(r, nil)
	return err
}

// Verify does what Admit does; the Proof has the key's label.
func (b *BasicAuth) Verify(r *http.Request, _ []byte) (Proof, error) {
	if !b.valid.Load() {
		return Proof{}, errNotValidated
	}
	if len(r.Header["Authorization"]) > 1 {
		return Proof{}, unverified("Authorization is there more than once")
	}
	user, password, ok := r.BasicAuth()
	if !ok || password == "" {
		return Proof{}, unverified("no Basic credentials")
	}
	keys := liveKeys(b.Keys, b.KeysFunc)
	label, ok := matchKey(keys, password)
	if b.User != "" && !NewSecret(b.User).Equal([]byte(user)) {
		ok = false
	}
	if !ok {
		return Proof{}, fmt.Errorf("%w: Basic credentials match no live key %s", ErrUnverified, tried(keys))
	}
	return Proof{KeyLabel: label}, nil
}

func (b *BasicAuth) paddedSecrets() []string { return paddedKeys(liveKeys(b.Keys, b.KeysFunc)) }

// Sign sets the credentials, with the first key; where any user name will do
// it sends "hook".
func (b *BasicAuth) Sign(r *http.Request, _ []byte) error {
	keys := liveKeys(b.Keys, b.KeysFunc)
	if err := validateKeys("BasicAuth", keys); err != nil {
		return err
	}
	user := b.User
	if user == "" {
		user = "hook"
	}
	r.SetBasicAuth(user, string(keys[0].Secret.bytes()))
	return nil
}

// Challenge returns the value for WWW-Authenticate.
func (b *BasicAuth) Challenge() string {
	realm := b.Realm
	if realm == "" {
		realm = "webhook"
	}
	return "Basic realm=" + strconv.QuoteToASCII(realm)
}

// CredentialHeaders returns Authorization.
func (b *BasicAuth) CredentialHeaders() []string { return []string{"Authorization"} }
