package inspect

import (
	"maps"
	"net/http"
	"slices"
)

// headerLines returns the values of a header as a page has them, and how many more there are.
func headerLines(h http.Header) (lines []headerLine, more int) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if len(lines) < shownHeaders {
				lines = append(lines, headerLine{name, value})
			} else {
				more++
			}
		}
	}
	return lines, more
}
