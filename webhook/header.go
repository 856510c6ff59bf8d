package webhook

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

const formType = "application/x-www-form-urlencoded"

// neverStored are the headers that no Delivery has.
var neverStored = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// scrubHeader returns h without the headers that must not be stored: those that no
// Delivery has, those named by credentials, and those with a value that contains one
// of the secrets. It does not change h. The result is h itself if nothing has to go,
// and otherwise a copy that shares the value slices with h.
func scrubHeader(h http.Header, credentials, secrets []string) http.Header {
	if !hasName(h, neverStored) && !hasName(h, credentials) && len(secrets) == 0 {
		return h
	}
	stored := maps.Clone(h)
	for _, name := range neverStored {
		delete(stored, name)
	}
	for _, name := range credentials {
		delete(stored, name)
	}
	if len(secrets) > 0 {
		maps.DeleteFunc(stored, func(_ string, values []string) bool {
			return slices.ContainsFunc(values, func(v string) bool {
				return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(v, s) })
			})
		})
	}
	return stored
}

// hasName reports whether h has one of the names, which are canonical.
func hasName(h http.Header, names []string) bool {
	for _, name := range names {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}

// mediaType returns the media type of a Content-Type value without its parameters.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(t)
}

// hasMediaType reports whether the Content-Type is one of the given media types.
func hasMediaType(h http.Header, types []string) bool {
	got := mediaType(h.Get("Content-Type"))
	return slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, got) })
}

// isForm reports whether the Content-Type is that of an HTML form.
func isForm(h http.Header) bool {
	return strings.EqualFold(mediaType(h.Get("Content-Type")), formType)
}

// isHeaderName reports whether a header can have the name: letters, digits and the
// marks that RFC 9110, section 5.6.2, allows in a token.
func isHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return name != ""
}
