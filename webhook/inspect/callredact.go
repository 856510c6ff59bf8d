package inspect

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// callHeader returns the headers of a call without the values that must not be shown. A call that
// was refused may have a secret in a place where no delivery has one.
func (in *Inspector) callHeader(k *keptCall) http.Header {
	shown := in.shown(k.header)
	hidden := tokensOf(k)
	for name, values := range k.header {
		if slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(hidden, func(token string) bool { return strings.Contains(v, token) })
		}) {
			shown[name] = []string{redacted}
		}
	}
	return shown
}

// longToken is the length from which a part of a URL may be a token, whatever its name.
const longToken = 16

// shortToken is the length below which a text is no token: it is in other words by chance.
const shortToken = 4

// tokensOf returns what a call has in the places where its verifier looks for a token, and what
// else in its URL may be one, in each spelling.
func tokensOf(k *keptCall) (tokens []string) {
	given := make(map[string]bool)
	query := k.url.Query()
	for name, value := range k.pathValues {
		given[value] = provingName.MatchString(name) || len(value) >= longToken
	}
	for name, values := range query {
		for _, value := range values {
			given[value] = given[value] || provingName.MatchString(name) || len(value) >= longToken
		}
	}
	for _, v := range leaves(k.source.Verifier) {
		if t, ok := v.(*webhook.Token); ok {
			given[k.pathValues[t.PathValue]] = true
			given[strings.TrimPrefix(k.header.Get(t.Header), t.Prefix)] = true
			for _, value := range query[t.Query] {
				given[value] = true
			}
		}
	}
	for text, isToken := range given {
		if text = strings.TrimSpace(text); isToken && text != "" {
			tokens = append(tokens, text, url.PathEscape(text), url.QueryEscape(text))
		}
	}
	return tokens
}

// withoutTokens returns a text of another handler, or of a verifier of the program, without the
// tokens of the call.
func (k *keptCall) withoutTokens(text string) string {
	for _, token := range tokensOf(k) {
		if len(token) >= shortToken {
			text = strings.ReplaceAll(text, token, redacted)
		}
	}
	return text
}
