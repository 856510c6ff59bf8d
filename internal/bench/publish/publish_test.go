package publish

import (
	"bytes"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
)

// TestMain is also the processes of sinks, and the one whose memory is measured.
func TestMain(m *testing.M) { envtest.Main(m, Commands) }

// tiny is a command that measures next to nothing.
var tiny = command{
	count: 1, endpoints: []int{3}, deliveries: 6, pairs: 1, pairOf: 2,
	waiting: 300, many: 20, handled: 60, backlog: 40, claims: 2,
}

func TestOnlyWhatIsNamedIsMeasured(t *testing.T) {
	c := tiny
	c.only, c.impls = "backlog", "SQLite"
	r, err := c.measure(t.Context(), envtest.Env)
	if err != nil {
		t.Fatal(err)
	}
	if r.rates != nil || r.pairs != nil || r.memory != nil || len(r.backlog) != 2 {
		t.Errorf("got %+v", r)
	}
	var out bytes.Buffer
	c.print(&out, r)
	envtest.Complete(t, out.String(), "SQLite | 0", "SQLite | 40")
}

func TestSettingsAreRefusedThatMeasureNothing(t *testing.T) {
	if err := tiny.validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*command){
		"no deliveries":               func(c *command) { c.deliveries = 0 },
		"no pairs":                    func(c *command) { c.pairs = 0 },
		"fewer endpoints than few":    func(c *command) { c.many = fewEndpoints - 1 },
		"nothing handled":             func(c *command) { c.handled = 0 },
		"more handled than waits":     func(c *command) { c.handled = c.waiting + 1 },
		"no backlog":                  func(c *command) { c.backlog = 0 },
		"no claims":                   func(c *command) { c.claims = 0 },
		"no endpoint of those paired": func(c *command) { c.pairOf = 0 },
	} {
		c := tiny
		change(&c)
		if c.validate() == nil {
			t.Errorf("%s: it is accepted", name)
		}
	}
	for _, text := range []string{"0", "-1", "x", ""} {
		if n, err := number(text); err == nil {
			t.Errorf("%q is read as %d", text, n)
		}
	}
}
