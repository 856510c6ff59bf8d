package sqlinbox

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// hashSize is the size of a dedup key in the database: the first bytes of the SHA-256
// of the source, a zero byte and the key. Short rows make the table small, and most
// of what a Put writes are pages of this table. To find another key of a known hash
// takes 2^128 tries. Whoever can make two keys of one hash, in 2^64 tries, must be
// able to sign both.
const hashSize = 16

// appendHash appends the hash of a dedup key, which has no zero byte, as its source
// has none.
func appendHash(hashes []byte, source, key string) []byte {
	text := make([]byte, 0, 2*limit.Name+1)
	text = append(append(append(text, source...), 0), key...)
	sum := sha256.Sum256(text)
	return append(hashes, sum[:hashSize]...)
}

// hexHashes returns each of the hashes in hex.
func hexHashes(hashes []byte) []string {
	list := make([]string, 0, len(hashes)/hashSize)
	for ; len(hashes) > 0; hashes = hashes[hashSize:] {
		list = append(list, hex.EncodeToString(hashes[:hashSize]))
	}
	return list
}
