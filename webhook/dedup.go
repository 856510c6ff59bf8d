package webhook

import (
	"encoding/hex"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// dedupKeys returns the dedup keys of a delivery, each with the prefix of its scope. An
// ID and a signature get prefixes of their own, so that one is never equal to the
// other. The keys of the Description get none.
func dedupKeys(about Description, proof Proof, scope scopePrefix) []string {
	byID := about.ID != "" && (about.DedupKeys == nil || proof.ID != "")
	bySignature := about.DedupBySignature && len(proof.Signature) > 0
	if len(about.DedupKeys) == 0 && !byID && !bySignature {
		return nil
	}
	keys := make([]string, 0, len(about.DedupKeys)+2)
	for _, k := range about.DedupKeys {
		keys = append(keys, scope.clamp(k))
	}
	// Both are parts of one string, so that there is one allocation.
	var buf [2 * limit.Name]byte
	text := buf[:0]
	if byID {
		text = appendClamped(text, string(scope)+"id:", about.ID)
	}
	end := len(text)
	switch {
	case !bySignature:
	case scope == "":
		text = hex.AppendEncode(append(text, "mac:"...), proof.Signature)
	default:
		text = appendClamped(text, string(scope)+"mac:", hex.EncodeToString(proof.Signature))
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
