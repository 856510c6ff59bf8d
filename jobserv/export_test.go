package jobserv

// SetMost sets how many missing builds a round handles.
func (c *CatchUp) SetMost(n int) { c.most = n }
