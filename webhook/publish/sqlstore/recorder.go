package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

const (
	// batchLimit bounds the attempts that share a transaction. One has up to 6 KiB of text,
	// which can be six times as long in JSON.
	batchLimit = 256
	// batchTimeout bounds the time that a batch takes, with the wait for its turn.
	batchTimeout = 30 * time.Second
)

// A recorder commits attempts in batches, one batch at a time, in a goroutine that lives
// while there are any. It adds no delay: while one batch is committed the next one gathers.
type recorder struct {
	// commit stores a batch in one transaction, and sets began of its records.
	commit func(ctx context.Context, batch []*record) error
	// refuses reports whether an error of commit is about what a record of the batch has.
	refuses func(err error) bool
	// commitAlone stores a record that commit has refused when it was alone, in another way.
	commitAlone func(ctx context.Context, one *record, refusal error) error

	mu      sync.Mutex
	waiting []*record // in the order of arrival
	running bool
}

// A record is an attempt that waits for its commit.
type record struct {
	attempt publish.Attempt
	began   bool
	err     error // set before done is closed
	done    chan struct{}
	ended   bool // done is closed
}

// submit waits until the attempt is committed. When ctx ends, an attempt that no batch has
// taken is withdrawn; one that a batch has taken goes on unwatched.
func (r *recorder) submit(ctx context.Context, a publish.Attempt) (began bool, err error) {
	one := &record{attempt: a, done: make(chan struct{})}
	r.mu.Lock()
	r.waiting = append(r.waiting, one)
	first := !r.running
	r.running = true
	r.mu.Unlock()
	if first {
		go r.run()
	}
	select {
	case <-one.done:
		return one.began, one.err
	case <-ctx.Done():
		r.withdraw(one)
		return false, ctx.Err()
	}
}

func (r *recorder) withdraw(one *record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := slices.Index(r.waiting, one); at >= 0 {
		r.waiting = slices.Delete(r.waiting, at, at+1)
	}
}

// next takes a batch. If nothing waits it returns nil, and the goroutine must end.
func (r *recorder) next() []*record {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.waiting), batchLimit)
	if n == 0 {
		r.waiting, r.running = nil, false
		return nil
	}
	batch := slices.Clone(r.waiting[:n])
	clear(r.waiting[:n])
	r.waiting = r.waiting[n:]
	return batch
}

// run commits what waits, until nothing does.
func (r *recorder) run() {
	var batch []*record
	defer func() {
		if batch != nil { // a driver panicked, or ended the goroutine
			finish(batch, fmt.Errorf("sqlstore: the recording of attempts was ended: %v", recover()))
			go r.run()
		}
	}()
	for {
		if batch = r.next(); batch == nil {
			return
		}
		r.commitInTime(batch)
	}
}

// commitInTime has a context that is not that of a caller, so that no caller's end cancels
// the others.
func (r *recorder) commitInTime(batch []*record) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	r.commitAll(ctx, batch)
}

// commitAll commits a batch. If the database refuses what one of its records has, each half is
// committed by itself, and so on, so that the others do not fail with that one.
func (r *recorder) commitAll(ctx context.Context, batch []*record) {
	err := r.commit(ctx, batch)
	switch half := len(batch) / 2; {
	case err == nil || ctx.Err() != nil || !r.refuses(err):
		finish(batch, err)
	case half > 0:
		r.commitAll(ctx, batch[:half])
		r.commitAll(ctx, batch[half:])
	default:
		finish(batch, r.commitAlone(ctx, batch[0], err))
	}
}

// finish ends the records that have not ended.
func finish(batch []*record, err error) {
	for _, one := range batch {
		if one.ended {
			continue
		}
		if one.err = err; err != nil {
			one.began = false
		}
		one.ended = true
		close(one.done)
	}
}
