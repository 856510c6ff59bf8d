package github

// SetMost sets how many missing deliveries a round handles.
func (c *CatchUp) SetMost(n int) { c.most = n }

// CursorName returns the name of the cursor.
func (c *CatchUp) CursorName() string { return c.cursorName() }
