package webhook

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

func checkEd25519Key(s Secret) error {
	_, _, err := parseEd25519Key(s)
	return err
}

// parseEd25519Key returns the public key, and the private one if s has it. Its errors
// do not show s.
func parseEd25519Key(s Secret) (public ed25519.PublicKey, private ed25519.PrivateKey, err error) {
	text := string(s.bytes())
	raw, err := hex.DecodeString(text)
	if err != nil {
		raw, err = strictBase64.DecodeString(text)
	}
	switch {
	case strings.ContainsAny(text, " \t\r\n"): // base64 would ignore a newline
		return nil, nil, errors.New("the Ed25519 key contains white space: a newline read from a file?")
	case err != nil:
		return nil, nil, errors.New("an Ed25519 key must be hex or Base64")
	case len(raw) == ed25519.PrivateKeySize:
		private = ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
		if !private.Equal(ed25519.PrivateKey(raw)) {
			return nil, nil, errors.New("the private Ed25519 key does not end in its own public key")
		}
		return private.Public().(ed25519.PublicKey), private, nil
	case len(raw) != ed25519.PublicKeySize:
		return nil, nil, fmt.Errorf("an Ed25519 key of %d bytes: a public key has %d, a private one %d", len(raw), ed25519.PublicKeySize, ed25519.PrivateKeySize)
	}
	return raw, nil, checkPublicKey(raw)
}

// checkPublicKey refuses a public key of low order, such as a placeholder of zeros:
// anybody can make signatures that match it. Package ed25519 takes such keys.
func checkPublicKey(raw []byte) error {
	y := bytes.Clone(raw)
	y[len(y)-1] &^= 0x80 // the sign of x
	for _, low := range lowOrder {
		if string(y) == low {
			return errors.New("the Ed25519 key is a point of low order, such as all zeros: a placeholder?")
		}
	}
	return nil
}

// lowOrder are the coordinates y of the points whose order divides 8, without the sign of
// x: of 1, -1, 0 and the two of order 8; and the second spelling of 0 and of 1.
var lowOrder = []string{
	"\x01" + strings.Repeat("\x00", 31),
	"\xec" + strings.Repeat("\xff", 30) + "\x7f",
	strings.Repeat("\x00", 32),
	"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
	"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
	"\xed" + strings.Repeat("\xff", 30) + "\x7f",
	"\xee" + strings.Repeat("\xff", 30) + "\x7f",
}
