package main

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxShown is how many bytes of the method and the path are in an ordering key.
const maxShown = 160

// hidden takes the place of what may be a secret.
const hidden = "..."

// secretParameter matches names of parameters with which somebody else could make a call.
var secretParameter = regexp.MustCompile(`(?i)passw|pwd|secret|token|credential|sig|hmac|auth|key|code|session|jwt`)

// shownPath returns a path without the segments that may be tokens: those as long as a
// secret, or all of them.
func shownPath(path string, hideAll bool) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment != "" && (hideAll || len(segment) >= minSecret) {
			segments[i] = hidden
		}
	}
	return strings.Join(segments, "/")
}

// shownQuery returns a query with its "?", without the values that may be secrets: those that
// are as long as one, those with a name of one, or all of them.
func shownQuery(query string, hideAll bool) string {
	if query == "" {
		return ""
	}
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok && (hideAll || len(name) >= minSecret):
			part = hidden
		case ok && value != "" && (hideAll || len(value) >= minSecret || secretParameter.MatchString(name)):
			part = clip(name, maxShown) + "=" + hidden
		}
		parts = append(parts, part)
	}
	return "?" + strings.Join(parts, "&")
}

// clip returns the first n bytes of a text, as UTF-8.
func clip(text string, n int) string {
	if len(text) > n {
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
