package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// A standardKey is either symmetric or public. A private key comes with its public
// key.
type standardKey struct {
	symmetric []byte
	public    ed25519.PublicKey
	private   ed25519.PrivateKey
}

func parseStandardKey(s Secret) (standardKey, error) {
	text := string(s.bytes())
	bad := errors.New("secret is not base64 of a key")
	if t, ok := strings.CutPrefix(text, "whpk_"); ok {
		raw, err := strictBase64.DecodeString(t)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return standardKey{}, bad
		}
		return standardKey{public: raw}, checkPublicKey(raw)
	}
	if t, ok := strings.CutPrefix(text, "whsk_"); ok {
		raw, err := strictBase64.DecodeString(t)
		if err != nil || len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
			return standardKey{}, bad
		}
		private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
		if len(raw) == ed25519.PrivateKeySize && !private.Equal(ed25519.PrivateKey(raw)) {
			return standardKey{}, bad
		}
		return standardKey{private: private, public: private.Public().(ed25519.PublicKey)}, nil
	}
	raw, err := strictBase64.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || len(raw) == 0 {
		return standardKey{}, bad
	}
	return standardKey{symmetric: raw}, nil
}

func (k standardKey) mac(e envelope, body []byte) []byte {
	h := hmac.New(sha256.New, k.symmetric)
	h.Write(e.head())
	h.Write(body)
	return h.Sum(nil)
}

// verify reports whether one of the signatures was made with this key, and returns
// the MAC if the key is symmetric.
func (k standardKey) verify(e envelope, body []byte) (mac []byte, ok bool) {
	var text []byte // for v1a, which signs one piece of text
	for _, sig := range e.signatures {
		switch {
		case sig.version == "v1" && k.symmetric != nil:
			if mac == nil {
				mac = k.mac(e, body)
			}
			if hmac.Equal(mac, sig.value) {
				return mac, true
			}
		case sig.version == "v1a" && k.public != nil:
			if text == nil {
				text = append(e.head(), body...)
			}
			if ed25519.Verify(k.public, text, sig.value) {
				return nil, true
			}
		}
	}
	return nil, false
}

func (k standardKey) sign(e envelope, body []byte) (standardSig, error) {
	switch {
	case k.symmetric != nil:
		return standardSig{"v1", k.mac(e, body)}, nil
	case k.private != nil:
		return standardSig{"v1a", ed25519.Sign(k.private, append(e.head(), body...))}, nil
	}
	return standardSig{}, errCannotSign
}

// signStandard returns the signatures of the keys that can sign, as the header has them.
func signStandard(keys []Key, e envelope, body []byte) (string, error) {
	var list []string
	for i, k := range keys {
		key, err := parseStandardKey(k.Secret)
		if err != nil {
			return "", fmt.Errorf("webhook: StandardWebhooks: key %d: %w", i+1, err)
		}
		sig, err := key.sign(e, body)
		if err != nil {
			continue // a public key
		}
		if len(list) == maxSignatures {
			return "", fmt.Errorf("webhook: StandardWebhooks: cannot sign: more than %d keys can sign", maxSignatures)
		}
		list = append(list, sig.version+","+base64.StdEncoding.EncodeToString(sig.value))
	}
	if len(list) == 0 {
		return "", errCannotSign
	}
	return strings.Join(list, " "), nil
}
