package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// bodyMemory and binMemory bound the buffers of bodies that are being received, in bytes: of
	// all bins, and of one.
	bodyMemory = 256 << 20
	binMemory  = 128 << 20
	// maxDelays and binDelays bound the delayed answers in progress: of all bins, and of one.
	maxDelays = 256
	binDelays = 32
	// maxForwards and binForwards bound the forwards in progress in the same way.
	maxForwards = 32
	binForwards = 4
)

// A rateLimit lets a number of calls through in a second, after a pause also at once. It is
// safe for concurrent use.
type rateLimit struct {
	mu     sync.Mutex
	most   float64
	left   float64
	filled time.Time
}

func newRateLimit(perSecond int) *rateLimit {
	return &rateLimit{most: float64(perSecond), left: float64(perSecond), filled: time.Now()}
}

// allow reports whether a call may be made now, and counts it.
func (l *rateLimit) allow() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.left = min(l.most, l.left+now.Sub(l.filled).Seconds()*l.most)
	l.filled = now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}

// slots are for a number of things at a time.
type slots struct{ free chan struct{} }

func newSlots(n int) *slots { return &slots{make(chan struct{}, n)} }

// take reports whether there was a slot. The caller gives it back.
func (s *slots) take() bool {
	select {
	case s.free <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *slots) giveBack() { <-s.free }

// delays are the delayed answers of all bins.
type delays struct {
	all    *slots
	ending context.Context    // is done when the program ends
	end    context.CancelFunc // ends all delays, because the program ends
}

func newDelays() *delays {
	ending, end := context.WithCancel(context.Background())
	return &delays{newSlots(maxDelays), ending, end}
}

// begin reports whether an answer of a bin may be delayed. The caller calls done afterwards.
func (d *delays) begin(b *activeBin) (done func(), ok bool) {
	if !b.answers.take() {
		return nil, false
	}
	if !d.all.take() {
		b.answers.giveBack()
		return nil, false
	}
	return func() { d.all.giveBack(); b.answers.giveBack() }, true
}

// wait waits for the delay, for the caller to leave, or for end.
func (d *delays) wait(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-d.ending.Done():
	}
}

var (
	errTooLarge = errors.New("the body is too large")
	errNoMemory = errors.New("too many bodies are being received")
)

// A bodyBudget bounds the memory of bodies that are being received by their bytes.
type bodyBudget struct {
	most int64
	used atomic.Int64
}

// budgets are those that a body counts in.
type budgets []*bodyBudget

// take counts n more bytes, or fewer, and reports whether no budget is exceeded.
func (list budgets) take(n int64) bool {
	ok := true
	for _, b := range list {
		ok = b.used.Add(n) <= b.most && ok
	}
	return ok
}

// firstBuffer is the size of the buffer before anything has arrived.
const firstBuffer = 4 << 10

// readBody reads a body of at most most bytes. Its memory counts until release is called, which
// must be called also after an error. The buffer grows with what has arrived, so that a caller
// who announces much and sends nothing costs little.
func readBody(body io.Reader, most int64, of ...*bodyBudget) (text []byte, release func(), err error) {
	memory := budgets(of)
	size := min(firstBuffer, most+1)
	release = func() { memory.take(-size) }
	if !memory.take(size) {
		return nil, release, errNoMemory
	}
	buffer := make([]byte, 0, size)
	for {
		if len(buffer) == cap(buffer) {
			grown := min(2*size, most+1)
			if !memory.take(grown) {
				memory.take(-grown)
				return nil, release, errNoMemory
			}
			buffer = append(make([]byte, 0, grown), buffer...)
			memory.take(-size)
			size = grown
		}
		n, err := body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case int64(len(buffer)) > most:
			return nil, release, errTooLarge
		case err == io.EOF:
			return bytes.Clone(buffer), release, nil // without room that is not used
		case err != nil:
			return nil, release, err
		}
	}
}
