package webhook

import (
	"encoding/hex"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// dedupKeys returns the dedup keys of a delivery. An ID and a signature get
// prefixes, so that one is never equal to the other. The keys of the Description
// get none.
func dedupKeys(about Description, proof Proof) []string {
	byID := about.ID != "" && (about.DedupKeys == nil || proof.ID != "")
	bySignature := about.DedupBySignature && len(proof.Signature) > 0
	if len(about.DedupKeys) == 0 && !byID && !bySignature {
		return nil
	}
	keys := make([]string, 0, len(about.DedupKeys)+2)
	for _, k := range about.DedupKeys {
		keys = append(keys, clamp(k))
	}
	// Both are parts of one string, so that there is one allocation.
	var buf [limit.Name + len("mac:") + 2*maxMAC]byte
	text := buf[:0]
	if byID {
		text = appendClamped(text, "id:", about.ID)
	}
	end := len(text)
	if bySignature {
		text = hex.AppendEncode(append(text, "mac:"...), proof.Signature)
	}
	both := string(text)
	if byID {
		keys = append(keys, both[:end])
	}
	if bySignature {
		keys = append(keys, both[end:])
	}
	return keys
}
