package inspect

import (
	"maps"
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// A watchedSources has the Sources whose receivers are watched.
type watchedSources struct {
	mu      sync.Mutex
	list    []webhook.Source
	headers map[string]bool // canonical names of the headers that prove their calls
}

func (s *watchedSources) add(src webhook.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(slices.Clone(s.list), src)
	headers := maps.Clone(s.headers)
	if headers == nil {
		headers = make(map[string]bool)
	}
	for _, name := range provingHeaders(src.Verifier) {
		headers[name] = true
	}
	s.headers = headers
}

// all returns the Sources, and the headers that prove their calls. The caller must not
// change them.
func (s *watchedSources) all() ([]webhook.Source, map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list, s.headers
}
