package dbtest

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A driver that panics, or ends the goroutine, stands for any code in a transaction.
// Package database/sql then keeps locks of its own.
func TestADriverThatPanicsInAWriteHoldsUpNobody(t *testing.T) {
	places := map[string]func(what string) bool{
		"before begin":    func(what string) bool { return strings.Contains(what, "PRAGMA busy_timeout") },
		"begin":           func(what string) bool { return what == "begin" },
		"first statement": func(what string) bool { return strings.Contains(what, "UPDATE hookhouse_schema") },
		"check": func(what string) bool {
			return strings.Contains(what, "pragma_synchronous") || strings.Contains(what, "transaction_isolation")
		},
		"statement of f": func(what string) bool { return strings.Contains(what, "INTO effects") },
		"commit":         func(what string) bool { return what == "commit" },
	}
	onEach(t, func(t *testing.T, e engine) {
		for name, end := range map[string]func(){"a panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
			for place, is := range places {
				t.Run(name+" at "+place, func(t *testing.T) {
					driver, dsn := e.store(t)
					in, db, plan := openWatched(t, e, driver, dsn)
					run(t, db, "CREATE TABLE effects (uid TEXT)")
					reached := beforeNth(plan, 1, is, end)
					ended := make(chan any)
					go func() {
						defer func() { ended <- recover() }()
						_ = in.Write(t.Context(), insertEffect)
					}()
					select {
					case v := <-ended:
						if name == "a panic" && v != "on purpose" && reached() {
							t.Errorf("Write panicked with %v", v)
						}
					case <-time.After(time.Minute):
						t.Fatal("Write does not return")
					}
					if !reached() {
						return // the other database has it
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if err := in.Put(ctx, delivery("key")); err != nil {
						t.Errorf("the next Put returned %v", err)
					}
					if err := in.Write(ctx, insertEffect); err != nil {
						t.Errorf("the next Write returned %v", err)
					}
					if n := count(t, db, "effects"); n != 1 {
						t.Errorf("%d effects, want that of the second Write", n)
					}
				})
			}
		}
	})
}
