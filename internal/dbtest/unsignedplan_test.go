package dbtest

import (
	"strings"
	"testing"
)

// Which deliveries of a page are unsigned is found by their UIDs, however many others there are.
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
		_, err := in.Unsigned(t.Context(), []string{"u1", "u2"})
		watch.Watch(nil, nil)
		must(t, err)
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer func() { _ = conn.Close() }()
		plan := genericPlan(t, e, conn, text)
		for _, whole := range []string{"Seq Scan on hookhouse", "SCAN d", "SCAN b", "SCAN hookhouse"} {
			if strings.Contains(plan, whole) {
				t.Errorf("%s reads a whole table:\n%s", text, plan)
			}
		}
		if !strings.Contains(plan, "uid") {
			t.Errorf("no index of uids in\n%s", plan)
		}
	})
}
