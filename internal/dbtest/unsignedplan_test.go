package dbtest

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Which deliveries of a page are unsigned is looked up for each of them, however many others there are.
func TestUnsignedIsFoundByAnIndex(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, db, watch := openWatched(t, e, driver, dsn)
		manyBlocked(t, e, db, 20000, 40)
		var text string
		watch.Watch(func(what string) {
			if strings.Contains(what, `"unsigned":`) {
				text = what
			}
		}, nil)
		for _, err := range in.All(t.Context(), webhook.Filter{After: 1000, Before: 2000, Limit: 50, Unsigned: true}) {
			must(t, err)
		}
		watch.Watch(nil, nil)
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer func() { _ = conn.Close() }()
		plan := genericPlan(t, e, conn, text)
		for _, whole := range []string{"Seq Scan on hookhouse", "SCAN d", "SCAN b", "SCAN hookhouse"} {
			if strings.Contains(plan, whole) {
				t.Errorf("%s reads a whole table:\n%s", text, plan)
			}
		}
	})
}
