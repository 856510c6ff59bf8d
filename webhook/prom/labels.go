package prom

import (
	"sync"
	"unicode/utf8"
)

const (
	// other is the label of all values that have no label of their own.
	other = "other"
	// maxLearned is how many values get a label because they were seen.
	maxLearned = 100
)

// A labelSet decides which values of a label are used. It is safe for concurrent use.
type labelSet struct {
	mu    sync.RWMutex
	known map[string]bool
	room  int // values that may still be learned
}

// newLabelSet returns a labelSet of the given values, or one that learns the first ones
// if there are none.
func newLabelSet(values []string) *labelSet {
	s := &labelSet{known: make(map[string]bool)}
	for _, v := range values {
		if utf8.ValidString(v) {
			s.known[v] = true
		}
	}
	if len(values) == 0 {
		s.room = maxLearned
	}
	return s
}

// label returns the value or other.
func (s *labelSet) label(value string) string {
	s.mu.RLock()
	known, room := s.known[value], s.room
	s.mu.RUnlock()
	switch {
	case known:
		return value
	case room == 0 || !utf8.ValidString(value):
		return other
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known[value] {
		if s.room == 0 {
			return other
		}
		s.known[value] = true
		s.room--
	}
	return value
}
