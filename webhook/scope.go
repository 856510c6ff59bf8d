package webhook

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
)

// A scopePrefix is what the dedup keys and the ordering key of a delivery begin with:
// the escaped scope and "|", or nothing if the Source has no scopes. The escaped scope
// has no "|", so two keys are equal only if both the scopes and what follows are.
type scopePrefix string

var escapeScope = strings.NewReplacer("%", "%25", "|", "%7C")

// clamp returns the key within the scope as every database stores it. A long one ends
// in a digest of both.
func (p scopePrefix) clamp(key string) string { return clamp(string(p) + key) }

// orderingKey returns the key within the scope. No key stays no key.
func (p scopePrefix) orderingKey(key string) string {
	if key == "" {
		return ""
	}
	return p.clamp(key)
}

// scope calls Scope. The error of a panic or of an empty scope is answered with 500:
// with any other scope the delivery could be taken for one of another tenant.
func (s Source) scope(r *http.Request) (p scopePrefix, err error) {
	if s.Scope == nil {
		return "", nil
	}
	defer func() {
		if v := recover(); v != nil {
			p, err = "", fmt.Errorf("%s: Scope: %w", s.Name, &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	scope := s.Scope(r)
	if scope == "" {
		return "", fmt.Errorf("webhook: %s: Scope returned no scope: tenants would share keys", s.Name)
	}
	if !isText(scope) {
		// clamp would replace these bytes: the key of another scope could be the result.
		return scopePrefix(url.PathEscape(scope) + "|"), nil
	}
	return scopePrefix(escapeScope.Replace(scope) + "|"), nil
}
