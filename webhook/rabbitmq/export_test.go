package rabbitmq

// Took reports whether the Consumer has taken a message with a UID from the server.
func (c *Consumer) Took(uid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for claim := range c.ended.states {
		if claim.uid == uid {
			return true
		}
	}
	return c.session != nil && c.session.held[uid] != nil
}
