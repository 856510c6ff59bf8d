package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// A keySource has the three fields of a verifier for keys. At most one is set.
type keySource struct {
	verifier string // name of the type, for errors
	owner    any    // the verifier, by pointer
	keys     []Key
	live     func() []Key
	each     func(*http.Request) ([]Key, error)
}

// validate refuses more than one field, no keys, and a key that is empty or that bad
// refuses. The keys of KeysFor are not known before there is a request.
func (k keySource) validate(bad func(Secret) error) error {
	if k.each != nil && k.live != nil || (k.each != nil || k.live != nil) && len(k.keys) > 0 {
		return fmt.Errorf("webhook: %s: only one of Keys, KeysFunc and KeysFor can be set", k.verifier)
	}
	if k.each != nil {
		return nil
	}
	return k.check(k.static(), bad)
}

// check refuses an empty list, and a key that is empty or that bad refuses.
func (k keySource) check(keys []Key, bad func(Secret) error) error {
	if len(keys) == 0 {
		return fmt.Errorf("webhook: %s has no keys", k.verifier)
	}
	for i, key := range keys {
		if key.Secret.IsZero() {
			return fmt.Errorf("webhook: %s: the secret of key %d is empty", k.verifier, i+1)
		}
		if bad == nil {
			continue
		}
		if err := bad(key.Secret); err != nil {
			return fmt.Errorf("webhook: %s: key %d: %w", k.verifier, i+1, err)
		}
	}
	return nil
}

// static returns the keys that do not depend on a request.
func (k keySource) static() []Key {
	if k.live != nil {
		return k.live()
	}
	return k.keys
}

// of returns the keys for r. If KeysFor returns none, it fails with ErrUnverified, and
// if KeysFor fails, with an error that is answered with 503.
func (k keySource) of(r *http.Request) ([]Key, error) {
	if k.each == nil {
		return k.static(), nil
	}
	keys, err := lookUp(r, k.owner, k.each)
	if err != nil {
		return nil, unavailable(k.verifier, "KeysFor", err)
	}
	for _, key := range keys {
		if !key.Secret.IsZero() {
			return keys, nil
		}
	}
	return nil, fmt.Errorf("%w: %s: KeysFor returned no keys for this request", ErrUnverified, k.verifier)
}

// signing returns the key with which to sign r: the first. It makes the same checks as
// validate.
func (k keySource) signing(r *http.Request, bad func(Secret) error) (Key, error) {
	keys, err := k.checked(r, bad)
	if err != nil {
		return Key{}, err
	}
	return keys[0], nil
}

// checked returns the keys for r, after the same checks as validate.
func (k keySource) checked(r *http.Request, bad func(Secret) error) ([]Key, error) {
	keys, err := k.of(r)
	if err != nil {
		return nil, err
	}
	return keys, k.check(keys, bad)
}

func (k keySource) padded() []string {
	if k.each != nil {
		return nil
	}
	return paddedKeys(k.static())
}

// unavailable returns the error of a func of the program that could not look something
// up. It is answered with 503, whatever err wraps, with the delay of a RetryAfter in
// err.
func unavailable(verifier, field string, err error) error {
	lookup := fmt.Errorf("%w: %s: %s: %v", ErrOverloaded, verifier, field, err)
	if after, ok := errors.AsType[*retryAfterError](err); ok {
		return RetryAfter(after.after, lookup)
	}
	return lookup
}

// keyLookups has the results of KeysFor of one request, so that Admit and Verify ask
// once.
type keyLookups struct {
	mu    sync.Mutex
	known []keyLookup
}

type keyLookup struct {
	owner any
	keys  []Key
	err   error
}

type keyLookupsKey struct{}

// withKeyLookups returns a copy of r in whose context lookUp keeps results.
func withKeyLookups(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), keyLookupsKey{}, new(keyLookups)))
}

// lookUp calls each, unless it was called for this request and owner before.
func lookUp(r *http.Request, owner any, each func(*http.Request) ([]Key, error)) ([]Key, error) {
	l, ok := r.Context().Value(keyLookupsKey{}).(*keyLookups)
	if !ok {
		return each(r)
	}
	if k, ok := l.find(owner); ok {
		return k.keys, k.err
	}
	keys, err := each(r) // without the lock: it may ask another verifier
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = append(l.known, keyLookup{owner, keys, err})
	return keys, err
}

func (l *keyLookups) find(owner any) (k keyLookup, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.known {
		if k.owner == owner {
			return k, true
		}
	}
	return keyLookup{}, false
}

// asksKeys reports whether one of the verifiers has KeysFor.
func asksKeys(vs ...Verifier) bool {
	for _, v := range vs {
		if a, ok := v.(interface{ asksKeys() bool }); ok && !isNil(v) && a.asksKeys() {
			return true
		}
	}
	return false
}
