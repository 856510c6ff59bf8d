package inspect

import (
	"context"
	"runtime"
	"time"
)

// A weight is how many bytes a browser loads, without the headers.
type weight struct {
	page, all int
}

// weigh adds up the page of the list and its assets.
func (sc *scene) weigh(ctx context.Context) (v weight, err error) {
	for _, name := range []string{"", "style.css", "live.js"} {
		text, err := sc.get(ctx, name)
		if err != nil {
			return v, err
		}
		if name == "" {
			v.page = len(text)
		}
		v.all += len(text)
	}
	return v, nil
}

// An idle is what happens while nobody looks.
type idle struct {
	calls       int64  // of the store
	allocations uint64 // of this process
	without     uint64 // as many, of this process without an inspector
}

// measureIdle lets time pass twice: with the inspector, at which people have looked before,
// and without it. The calls are those of the first time.
func (sc *scene) measureIdle(ctx context.Context, d time.Duration) (v idle) {
	allocationsWhile(ctx, d/4) // what the last viewers began comes to its end
	before := sc.calls.Load()
	v.allocations = allocationsWhile(ctx, d)
	v.calls = sc.calls.Load() - before
	sc.inspector.Close()
	sc.inspector = nil
	v.without = allocationsWhile(ctx, d)
	return v
}

// allocationsWhile counts the allocations of this process while it waits.
func allocationsWhile(ctx context.Context, d time.Duration) uint64 {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
