package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// readLimit bounds the keys that one statement looks up. A caller waits for each of them, so
	// what is read together is what the callers would have read alone.
	readLimit = 64
	// readPatience is how long a call waits for the statements of others before it has one of
	// its own, and readsAtOnce is how many there are then.
	readPatience = 100 * time.Millisecond
	readsAtOnce  = 4
)

// A reader looks up keys in batches, in a goroutine that lives while there are any. It adds no
// delay: while one batch is read the next one gathers. So what a caller gets was read after its
// call. If a batch takes long, the next one does not wait for it. It is safe for concurrent use.
type reader[K comparable, V any] struct {
	what string // is read, for errors
	// read looks up keys, each once. It sets nothing for those that have no value.
	read func(ctx context.Context, keys []K) (map[K]V, error)
	// refuses reports whether an error of read is about one of the keys.
	refuses func(err error) bool

	mu      sync.Mutex
	waiting []*batch[K, V] // in the order of arrival; the last one gathers
	running int            // goroutines
}

// A batch is what is read together.
type batch[K comparable, V any] struct {
	ctx     context.Context // ends when all callers have left
	cancel  context.CancelFunc
	keys    []K
	callers int

	values  map[K]V // set before done is closed
	refused map[K]error
	err     error
	done    chan struct{}
}

// get returns the value of a key, zero if there is none. Other callers share it: it must not be
// changed.
func (r *reader[K, V]) get(ctx context.Context, key K) (value V, err error) {
	b := r.join(key)
	defer r.leave(b)
	late := time.NewTimer(readPatience)
	defer late.Stop()
	for {
		select {
		case <-b.done:
			if b.err != nil {
				return value, b.err
			}
			return b.values[key], b.refused[key]
		case <-late.C:
			r.start(readsAtOnce)
		case <-ctx.Done():
			return value, fmt.Errorf("sqlstore: %s: %w", r.what, ctx.Err())
		}
	}
}

// join adds a key to the batch that gathers.
func (r *reader[K, V]) join(key K) *batch[K, V] {
	defer r.start(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.waiting); n == 0 || len(r.waiting[n-1].keys) == readLimit {
		b := &batch[K, V]{refused: make(map[K]error), done: make(chan struct{})}
		b.ctx, b.cancel = context.WithCancel(context.Background())
		r.waiting = append(r.waiting, b)
	}
	b := r.waiting[len(r.waiting)-1]
	b.callers++
	if !slices.Contains(b.keys, key) {
		b.keys = append(b.keys, key)
	}
	return b
}

// leave ends the wait of a caller, and the batch with its last caller.
func (r *reader[K, V]) leave(b *batch[K, V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.callers--; b.callers > 0 {
		return
	}
	b.cancel()
	if at := slices.Index(r.waiting, b); at >= 0 {
		r.waiting = slices.Delete(r.waiting, at, at+1)
	}
}

// start starts a goroutine if a batch waits and fewer than most run.
func (r *reader[K, V]) start(most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) > 0 && r.running < most {
		r.running++
		go r.run()
	}
}

// next takes a batch. If none waits it returns nil, and the goroutine must end.
func (r *reader[K, V]) next() *batch[K, V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		r.running--
		return nil
	}
	b := r.waiting[0]
	r.waiting = slices.Delete(r.waiting, 0, 1)
	return b
}

// run reads what waits, until nothing does.
func (r *reader[K, V]) run() {
	var b *batch[K, V]
	defer func() {
		if b != nil { // a driver panicked, or ended the goroutine
			b.err = fmt.Errorf("sqlstore: %s: the reading was ended: %v", r.what, recover())
			close(b.done)
			go r.run()
		}
	}()
	for {
		if b = r.next(); b == nil {
			return
		}
		b.values, b.err = r.readAll(b, b.keys)
		close(b.done)
	}
}

// readAll reads keys of a batch. If the database refuses one of them, each half is read by
// itself, and so on, so that the others do not fail with that one.
func (r *reader[K, V]) readAll(b *batch[K, V], keys []K) (map[K]V, error) {
	values, err := r.read(b.ctx, keys)
	if err == nil || b.ctx.Err() != nil || !r.refuses(err) {
		return values, err
	}
	if len(keys) == 1 {
		b.refused[keys[0]] = err
		return nil, nil
	}
	values = make(map[K]V, len(keys))
	for _, half := range [][]K{keys[:len(keys)/2], keys[len(keys)/2:]} {
		some, err := r.readAll(b, half)
		if err != nil {
			return nil, err
		}
		maps.Copy(values, some)
	}
	return values, nil
}
