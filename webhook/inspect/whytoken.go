package inspect

import (
	"net/http"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// token looks for a token that is missing.
func (x *examination) token(t *webhook.Token) bool {
	switch {
	case x.call.urlLeft && t.Header == "":
		x.note("The URL of the call was too long to be kept, so its token was not looked at.")
		return true
	case t.PathValue != "":
		if x.r.PathValue(t.PathValue) != "" {
			return false
		}
		if _, ok := x.call.pathValues[t.PathValue]; !ok {
			x.add(observed, "token_missing", "No token is in the path: the pattern %q has no wildcard {%s}, and nothing else has set the value.", x.call.pattern, t.PathValue)
			return true
		}
		x.add(observed, "token_missing", "No token is in the path, where the pattern has {%s}.", t.PathValue)
	case t.Query != "":
		values := x.r.URL.Query()[t.Query]
		if len(values) == 1 && values[0] != "" {
			return false
		}
		x.add(observed, "token_missing", "The query has the parameter %s %d times, and it is wanted once, with a token. Write it into the URL at the sender, and see whether a proxy removes the query.", t.Query, len(values))
	default:
		values := x.r.Header.Values(t.Header)
		if len(values) == 1 && strings.HasPrefix(values[0], t.Prefix) && len(values[0]) > len(t.Prefix) {
			return false
		}
		if len(values) == 1 {
			x.add(observed, "token_missing", "%s does not begin with %q, or has nothing after it.", http.CanonicalHeaderKey(t.Header), t.Prefix)
			return true
		}
		return x.missing(t.Header)
	}
	return true
}
