package forward

import "sync"

// The parts that call the service.
const (
	sending = iota
	listening
)

// Complaints are the errors of the service that were noted, by the part that met them. Both
// meet the same if the service is away, and each many times.
type complaints struct {
	mu   sync.Mutex
	last [2]string
}

// note passes on an error, unless it was already and the part has not succeeded since.
func (c *complaints) note(part int, err error, to func(string)) {
	text := err.Error()
	c.mu.Lock()
	known := c.last[sending] == text || c.last[listening] == text
	c.last[part] = text
	c.mu.Unlock()
	if !known {
		to(text + "; trying again")
	}
}

// clear forgets the error of a part, which has succeeded.
func (c *complaints) clear(part int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[part] = ""
}
