package publish

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxCopied is the size of the bodies, of all deliveries of an event together, up to
	// which each delivery has a copy. Above it the body is stored with the event alone.
	maxCopied = 64 << 10
	// cachedBodies is the size of the bodies that are kept after they were read.
	cachedBodies = 16 << 20
	// bodiesInUse is the size of the bodies that were read and are being sent, to proven
	// endpoints and to others, which cannot take the room of the proven ones. One of each is
	// allowed whatever its size.
	bodiesInUse = 32 << 20
)

// errNoRoom: the bodies that are being sent take all the memory that they may.
var errNoRoom = errors.New("publish: the bodies that are being sent take all the memory that they may")

// bodies reads the bodies of events from the outbox. It is safe for concurrent use.
type bodies struct {
	admin webhook.Admin // nil if the outbox is none
	typ   string        // of events

	mu     sync.Mutex
	inUse  [2]int64 // to proven endpoints, and to others
	cached int64
	recent *list.List // of *cachedBody, the last used first
	byUID  map[string]*list.Element
}

type cachedBody struct {
	uid  string
	body []byte
}

func newBodies(admin webhook.Admin, typ string) *bodies {
	return &bodies{admin: admin, typ: typ, recent: list.New(), byUID: make(map[string]*list.Element)}
}

// reserve allows the use of size bytes until release is called. The error is errNoRoom if
// there is no room for them.
func (b *bodies) reserve(size int64, unproven bool) (release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	inUse := &b.inUse[0]
	if unproven {
		inUse = &b.inUse[1]
	}
	if *inUse > 0 && *inUse+size > bodiesInUse {
		return nil, errNoRoom
	}
	*inUse += size
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		*inUse -= size
	}, nil
}

// get returns the body of an event. The error is [webhook.ErrNotFound] if it is not stored
// any more.
func (b *bodies) get(ctx context.Context, uid string) ([]byte, error) {
	if body, ok := b.lookUp(uid); ok {
		return body, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	r, err := b.admin.Get(ctx, uid)
	switch {
	case err != nil:
		return nil, err
	case r.Delivery.Type != b.typ:
		return nil, fmt.Errorf("%w: %s is no event", webhook.ErrNotFound, quote(uid))
	case r.Err != nil:
		return nil, fmt.Errorf("publish: the body of event %s cannot be read: %w", quote(uid), r.Err)
	}
	b.keep(uid, r.Delivery.Body)
	return r.Delivery.Body, nil
}

func (b *bodies) lookUp(uid string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.byUID[uid]
	if !ok {
		return nil, false
	}
	b.recent.MoveToFront(e)
	return e.Value.(*cachedBody).body, true
}

// keep keeps a body, in place of those that were not used for the longest time.
func (b *bodies) keep(uid string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.byUID[uid]; ok || len(body) > cachedBodies/2 {
		return
	}
	b.byUID[uid] = b.recent.PushFront(&cachedBody{uid, body})
	b.cached += int64(len(body))
	for b.cached > cachedBodies {
		last := b.recent.Back()
		old := b.recent.Remove(last).(*cachedBody)
		delete(b.byUID, old.uid)
		b.cached -= int64(len(old.body))
	}
}
