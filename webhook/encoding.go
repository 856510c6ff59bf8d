package webhook

import (
	"encoding/base64"
	"encoding/hex"
)

// An Encoding is how a signature is written in a header.
type Encoding uint8

// The encodings of a signature.
const (
	Hex    Encoding = iota // either case
	Base64                 // the standard alphabet, padded
)

var strictBase64 = base64.StdEncoding.Strict()

// maxWritten is the maximum length of a signature as text: of 64 bytes in Hex.
const maxWritten = 2 * 64

func (e Encoding) encode(raw []byte) string {
	if e == Base64 {
		return base64.StdEncoding.EncodeToString(raw)
	}
	return hex.EncodeToString(raw)
}

// decode decodes text into dst, which has at most 64 bytes. It reports whether text is
// exactly len(dst) bytes, well encoded. It does not allocate.
func (e Encoding) decode(dst []byte, text string) bool {
	// Copy to the stack: converting a long string to bytes would allocate.
	var written [maxWritten]byte
	src := written[:copy(written[:], text)]
	switch {
	case e == Hex && len(text) == hex.EncodedLen(len(dst)):
		n, err := hex.Decode(dst, src)
		return err == nil && n == len(dst)
	case e == Base64 && len(text) == base64.StdEncoding.EncodedLen(len(dst)):
		var raw [64 + 2]byte // without padding, a text of this length has one or two bytes more
		n, err := strictBase64.Decode(raw[:], src)
		copy(dst, raw[:])
		return err == nil && n == len(dst)
	}
	return false
}
