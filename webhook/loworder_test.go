package webhook_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// lowOrderKeys are all encodings of points whose order divides 8, with the sign of x
// left out. They were computed from the curve's equation with Python.
var lowOrderKeys = []string{
	strings.Repeat("00", 32),
	"01" + strings.Repeat("00", 31),
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ec" + strings.Repeat("ff", 30) + "7f",
	"ed" + strings.Repeat("ff", 30) + "7f",
	"ee" + strings.Repeat("ff", 30) + "7f",
}

// Anybody can make a signature that matches a key of low order: that of the neutral
// element and 0 matches one text in eight, or more.
func TestKeysOfLowOrderAreRefused(t *testing.T) {
	forged := make([]byte, 64)
	forged[0] = 1
	for _, text := range lowOrderKeys {
		raw, _ := hex.DecodeString(text)
		for range 2 {
			b64 := base64.StdEncoding.EncodeToString(raw)
			for name, v := range map[string]interface {
				webhook.Verifier
				Validate() error
			}{
				"hex":      discord(webhook.NewSecret(hex.EncodeToString(raw))),
				"Base64":   discord(webhook.NewSecret(b64)),
				"standard": standardOf("whpk_" + b64),
			} {
				if err := v.Validate(); err == nil || !strings.Contains(err.Error(), "key 1: ") || !strings.Contains(err.Error(), "low order") {
					t.Errorf("%s: Validate of %x = %v, want low order", name, raw, err)
				}
			}
			// Validate does not see the keys of a func.
			keys := func() []webhook.Key { return webhook.Keys(webhook.NewSecret(hex.EncodeToString(raw))) }
			live := discord()
			live.KeysFunc = func() []webhook.Key { return webhook.Keys(ed25519Public(1)) }
			verifierValidate(t, live)
			live.KeysFunc = keys
			r := verifierRequest()
			if err := discord(ed25519Private(1)).Sign(r, nil); err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Signature-Ed25519", hex.EncodeToString(forged))
			for i := range 100 {
				if _, err := live.Verify(r, []byte{byte(i)}); !errors.Is(err, webhook.ErrUnverified) {
					t.Errorf("%x: forged: %v", raw, err)
					break
				}
			}
			raw[31] ^= 0x80 // the other sign of x
		}
	}
}
