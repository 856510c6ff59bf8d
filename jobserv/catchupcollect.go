package jobserv

import (
	"slices"
	"time"
)

// A missingBuild is a completion of a build that the inbox does not know.
type missingBuild struct {
	id        int64
	key       string // its dedup key
	completed time.Time
}

func byCompletion(a, b missingBuild) int { return a.completed.Compare(b.completed) }

// A collector collects missing builds, in bounded memory. It keeps those that were completed
// first.
type collector struct {
	most   int
	byKey  map[string]bool
	list   []missingBuild // at most twice as many as are kept
	beyond int64          // the lowest number of those that were left out; zero: none were
}

func newCollector(most int) *collector {
	return &collector{most: most, byKey: make(map[string]bool)}
}

// add adds a build. It may have been added before.
func (c *collector) add(m missingBuild) {
	if c.byKey[m.key] {
		return
	}
	c.byKey[m.key] = true
	if c.list = append(c.list, m); len(c.list) >= 2*c.most {
		c.trim()
	}
}

// trim leaves out what is too much.
func (c *collector) trim() {
	slices.SortStableFunc(c.list, byCompletion)
	if len(c.list) <= c.most {
		return
	}
	for _, m := range c.list[c.most:] {
		delete(c.byKey, m.key)
		if c.beyond == 0 || m.id < c.beyond {
			c.beyond = m.id
		}
	}
	clear(c.list[c.most:])
	c.list = c.list[:c.most]
}

// oldest returns what was kept, what was completed first comes first, and the lowest number of
// what was left out, zero if nothing was.
func (c *collector) oldest() ([]missingBuild, int64) {
	c.trim()
	return c.list, c.beyond
}
