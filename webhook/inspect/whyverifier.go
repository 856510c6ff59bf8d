package inspect

import (
	"errors"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A proofOf is that a call is genuine for a verifier.
type proofOf struct {
	key   webhook.Key
	signs bool // the key covers the body
	keyed bool // there is a key; an allow list has none
}

// verifier looks for the cause in what a verifier wants.
func (x *examination) verifier(v webhook.Verifier) {
	if _, right := x.look(v); right != nil && right.keyed {
		x.right(*right)
	}
}

// look looks for faults in what a verifier wants. begun says that the call has the headers
// that it wants. right is not nil if it accepts the call.
func (x *examination) look(v webhook.Verifier) (begun bool, right *proofOf) {
	group, isGroup := v.(interface{ Members() []webhook.Verifier })
	if _, oneIsEnough := v.(*webhook.AnyOf); oneIsEnough {
		return x.lookAtAny(group.Members())
	}
	if isGroup {
		return x.lookAtAll(group.Members())
	}
	s, ok := schemeOf(v, x.r)
	if !ok {
		return x.custom(v)
	}
	if x.head(v, s) {
		return false, nil
	}
	return true, x.proof(s)
}

// lookAtAny looks at verifiers of which one is enough. If the call has the headers of some,
// the sender uses one of those.
func (x *examination) lookAtAny(members []webhook.Verifier) (begun bool, right *proofOf) {
	before := len(x.found)
	var found []finding // by those
	for _, v := range members {
		start := len(x.found)
		has, accepts := x.look(v)
		if accepts != nil {
			x.found = x.found[:before]
			return true, accepts
		}
		if has {
			begun, found = true, append(found, x.found[start:]...)
		}
	}
	if begun {
		x.found = append(x.found[:before], found...)
	}
	return begun, nil
}

// lookAtAll looks at verifiers that all must accept the call. What is right for some is no
// cause.
func (x *examination) lookAtAll(members []webhook.Verifier) (begun bool, right *proofOf) {
	begun, right = true, new(proofOf)
	for _, v := range members {
		has, accepts := x.look(v)
		begun = begun && has
		switch {
		case accepts == nil:
			right = nil
		case right != nil && (accepts.signs || !right.keyed):
			right = accepts
		}
	}
	return begun, right
}

// custom asks a verifier that has no keys, or that is not of package webhook.
func (x *examination) custom(v webhook.Verifier) (begun bool, right *proofOf) {
	err := v.Admit(x.r)
	if err == nil {
		if x.call.end != bodyNone && (x.call.end != bodyWhole || x.call.bodyCut) {
			return true, nil // its body is not known
		}
		_, err = v.Verify(x.r, x.call.body)
	}
	switch {
	case err == nil:
		return true, new(proofOf)
	case errors.Is(err, webhook.ErrOverloaded), errors.Is(err, webhook.ErrNotStored):
		x.unavailable("The verifier could not look something up. The log says why.")
	default:
		x.add(observed, "verifier", "%s.", x.call.withoutTokens(clip(shownReason(err.Error()), 1<<10)))
	}
	return false, nil
}

// proof looks for the cause in the keys, or in the body, and returns the key that is right:
// the call has the headers that the scheme wants.
func (x *examination) proof(s scheme) *proofOf {
	k := x.call
	switch {
	case s.err != nil:
		x.unavailable("The keys for the call could not be looked up. The log says why.")
		return nil
	case len(s.keys) == 0:
		x.add(observed, "keys", "There is no key for the call: KeysFor or KeysFunc returns none, so its tenant is not known.")
		return nil
	case s.signs && (k.end == bodyUnread || k.end == bodyPartly):
		x.note("The call was refused before its body was read, so it has none here, and its signature was not looked at.")
		return nil
	case s.signs && k.bodyCut:
		x.note("Only the beginning of the body is kept, so its signature was not looked at.")
		return nil
	}
	for _, key := range s.keys {
		if x.accepts(s.with(key), k.body) {
			return &proofOf{key, s.signs, true}
		}
	}
	switch {
	case !s.signs:
		x.credential(s)
	case k.end == bodyNone || k.end == bodyWhole && k.read == 0:
		x.emptyBody(s)
	case x.secrets(s, k.body) || x.foreign(s, k.body) || x.otherURL(s, k.body) || x.reencoded(s):
	default:
		x.add(guessed, "secret_wrong", "No key of source %s made the signature (%s tried), of the body as it came or as proxies usually change it. "+
			"Most likely the sender has another secret: set the same one on both sides.", k.source.Name, keyNames(s.keys))
	}
	return nil
}

// unavailable says that the program could not look something up, which it may the next time.
func (x *examination) unavailable(help string) {
	x.transient = true
	x.add(observed, "keys", "%s", help)
}

// keyNames returns the labels of keys.
func keyNames(keys []webhook.Key) string {
	var names []string
	for _, k := range keys[:min(len(keys), 8)] {
		names = append(names, keyName(k))
	}
	return strings.Join(names, ", ")
}

// credential looks at a token or a password. It is compared before the body is read.
func (x *examination) credential(s scheme) {
	if x.secrets(s, nil) || x.foreign(s, nil) {
		return
	}
	x.add(guessed, "secret_wrong", "What the call has is not the secret of source %s (%s tried). Set the same one on both sides.", x.call.source.Name, keyNames(s.keys))
}

// right says why a call was refused that is genuine as it is kept.
func (x *examination) right(p proofOf) {
	const middleware = "Let it run after the receiver, or let it put back what it reads."
	name := keyName(p.key)
	switch {
	case x.call.class == "other":
		x.add(observed, "other", "The call is genuine, by the key %s. The receiver did not refuse it: a handler in front of it did, or the one behind Source.Middleware.", name)
	case p.signs && x.call.parsed:
		x.add(proven, "body_read_before", "The body that arrived is genuine, by the key %s, and the receiver did not get it: a handler between has parsed it as a form. "+middleware, name)
	case x.call.class == "body_read" && !p.signs: // run says why
	case p.signs:
		x.add(proven, "body_read_before", "The body that arrived is genuine, by the key %s. Unless that key was added since, a handler in front of the receiver has read or changed the body. "+middleware, name)
	default:
		x.add(proven, "key_added", "The call has the key %s. It was added since.", name)
	}
}

// emptyBody says why there may be no body.
func (x *examination) emptyBody(s scheme) {
	if x.foreign(s, nil) || x.secrets(s, nil) {
		return
	}
	switch {
	case x.call.parsed:
		x.add(observed, "body_read_before", "The body was empty when the receiver read it, and it was parsed as a form before: a middleware read it. Let that run after the receiver.")
	case x.call.length < 0:
		x.add(observed, "body_empty", "The body was empty when the receiver read it, and the call has no Content-Length: a middleware read it before, or the sender sent nothing.")
	default:
		x.add(observed, "body_empty", "The call has no body, and Content-Length is 0: the sender sent none, a redirect lost it, or a middleware took it away.")
	}
}
