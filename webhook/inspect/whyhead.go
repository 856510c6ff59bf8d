package inspect

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// leaves returns a verifier, or the members of one that has some, at any depth.
func leaves(v webhook.Verifier) []webhook.Verifier {
	group, ok := v.(interface{ Members() []webhook.Verifier })
	if !ok {
		return []webhook.Verifier{v}
	}
	var all []webhook.Verifier
	for _, member := range group.Members() {
		all = append(all, leaves(member)...)
	}
	return all
}

// provingHeaders returns the canonical names of the headers that prove a call for a verifier.
func provingHeaders(v webhook.Verifier) (names []string) {
	for _, v := range leaves(v) {
		switch v := v.(type) {
		case *webhook.HMAC:
			names = append(names, v.Header)
		case *webhook.Ed25519:
			names = append(names, v.Header)
		case *webhook.StandardWebhooks:
			names = append(names, cmp.Or(v.HeaderPrefix, "webhook-")+"signature")
		case *webhook.Twilio:
			names = append(names, "X-Twilio-Signature")
		case webhook.CredentialCarrier:
			names = append(names, v.CredentialHeaders()...)
		}
	}
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return names
}

// head looks for a fault in the headers of a call, or in its URL, and reports whether there
// is one.
func (x *examination) head(v webhook.Verifier, s scheme) bool {
	switch v := v.(type) {
	case *webhook.HMAC:
		size := sha256.Size
		if v.Hash != nil {
			size = v.Hash().Size()
		}
		if x.signature(v.Header, v.Prefix, v.Items == (webhook.Items{}), v.Encoding, size) {
			return true
		}
		name, text := v.TimestampHeader, x.r.Header.Get(v.TimestampHeader)
		if v.Items.Time != "" {
			name, text = v.Header, itemOf(x.r.Header.Get(v.Header), v.Items)
		}
		if name != "" && x.clock(name, text, v.Tolerance) {
			return true
		}
	case *webhook.Ed25519:
		if x.signature(v.Header, v.Prefix, true, v.Encoding, 64) || v.TimestampHeader != "" && x.clock(v.TimestampHeader, x.r.Header.Get(v.TimestampHeader), v.Tolerance) {
			return true
		}
	case *webhook.StandardWebhooks:
		prefix := cmp.Or(v.HeaderPrefix, "webhook-")
		for _, name := range []string{"signature", "timestamp", "id"} {
			if x.missing(prefix+name) || name == "timestamp" && x.clock(prefix+name, x.r.Header.Get(prefix+name), v.Tolerance) {
				return true
			}
		}
	case *webhook.Twilio:
		if x.missing("X-Twilio-Signature") {
			return true
		}
	case *webhook.Token:
		if x.token(v) {
			return true
		}
	case *webhook.BasicAuth:
		if _, password, ok := x.r.BasicAuth(); !ok || password == "" {
			x.add(observed, "basic_missing", "The call has no Basic credentials. A sender that waits for the challenge calls again with them; "+
				"otherwise write user and password into the URL at the sender, and see whether a proxy removes the Authorization header.")
			return true
		}
	}
	return x.malformed(s)
}

// malformed looks for what is left in the headers of a signature, such as a malformed item.
func (x *examination) malformed(s scheme) bool {
	if !s.signs || len(s.keys) == 0 {
		return false
	}
	wide := s.with(s.keys[0])
	if !isValid(wide) {
		return false
	}
	if err := wide.Admit(x.r); err != nil {
		x.add(observed, "header_malformed", "%s.", shownReason(err.Error()))
		return true
	}
	return false
}

// missing looks for a header that the call does not have once.
func (x *examination) missing(name string) bool {
	name = http.CanonicalHeaderKey(name)
	n := len(x.r.Header[name])
	switch {
	case n == 1:
		return false
	case n > 1:
		x.add(observed, "header_repeated", "The call has the header %s %d times: a proxy or a middleware adds it again.", name, n)
		return true
	}
	if others := x.routes(name); len(others) > 0 {
		x.add(observed, "other_source", "The call has no %s. It has the header in which %s looks for the signature: the URL at the sender is that of another route.", name, strings.Join(others, ", "))
		return true
	}
	seen := x.digests()
	sha1 := len(seen) > 0
	var list []string
	for _, d := range seen {
		sha1 = sha1 && d.isSHA1
		list = append(list, d.header+", which "+d.begins)
	}
	switch {
	case sha1:
		x.add(observed, "sha1_only", "The call has no %s. Its only signature is %s: the sender signs with SHA-1 only. Let it sign with SHA-256, which may need a newer version of it.", name, strings.Join(list, "; "))
	case len(seen) > 0:
		x.add(observed, "header_missing", "The call has no %s. It has %s: is it of another sender, or of another version?", name, strings.Join(list, "; "))
	default:
		x.add(observed, "header_missing", "The call has no %s, and nothing else that looks like a signature. No secret is set at the sender, or a proxy removes the header.", name)
	}
	if x.call.headersLeft > 0 {
		x.note(fmt.Sprintf("%d large headers of the call were not kept.", x.call.headersLeft))
	}
	return true
}

// routes returns the other watched Sources whose headers the call has.
func (x *examination) routes(except string) (names []string) {
	for _, src := range x.sources {
		has := func(h string) bool { return h != except && len(x.r.Header[h]) == 1 }
		if src.Name != x.call.source.Name && slices.ContainsFunc(provingHeaders(src.Verifier), has) && !slices.Contains(names, "source "+src.Name) {
			names = append(names, "source "+src.Name)
		}
	}
	return names
}
