package webhook

import "encoding/hex"

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
	if byID {
		keys = append(keys, clamp("id:"+about.ID))
	}
	if bySignature {
		var text [len("mac:") + 2*maxMAC]byte
		keys = append(keys, string(hex.AppendEncode(append(text[:0], "mac:"...), proof.Signature)))
	}
	return keys
}
