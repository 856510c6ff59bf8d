package main

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// errNoRoom is returned if nothing more can be deleted to make room.
var errNoRoom = errors.New("there is no room: what is stored is being forwarded")

// captures stores the calls and the answers of bins in an inbox, and deletes the oldest ones
// when there are too many or too large ones. What it counts is in memory, so it must be the
// only one of its inbox.
type captures struct {
	inbox    inbox
	perBin   int
	maxBytes int64

	mu    sync.Mutex
	bytes int64
	byBin map[string]*shelf // of each bin that has captures
}

// A shelf is the captures of one bin.
type shelf struct {
	list.List // of *capture, oldest first
	bytes     int64
}

// A capture is one that is stored, or about to be.
type capture struct {
	uid, bin string
	size     int64
	stored   bool
	place    *list.Element // in the shelf of its bin; nil: it is not counted
}

// loadCaptures counts what an inbox has.
func loadCaptures(ctx context.Context, in inbox, s *settings) (*captures, error) {
	c := &captures{inbox: in, perBin: s.maxCaptures, maxBytes: s.maxBytes, byBin: make(map[string]*shelf)}
	var found []*capture
	for r, err := range in.All(ctx, webhook.Filter{Bodies: true}) {
		if err != nil {
			return nil, err
		}
		name := r.Delivery.Header.Get(nameHeader)
		switch {
		case r.Err != nil: // the sweep deletes it
		case name == "":
			return nil, fmt.Errorf("it has the delivery %s of another program, and this one would settle it", r.Delivery.UID)
		default:
			found = append(found, &capture{uid: r.Delivery.UID, bin: name, size: sizeOf(r.Delivery), stored: true})
		}
	}
	for _, one := range slices.Backward(found) {
		c.add(one)
	}
	return c, nil
}

// What a delivery and a field of its header take in memory beside their text, in bytes. Without
// them, a header of many short fields would take 40 times what it is counted as.
const (
	deliveryCost = 1 << 10
	fieldCost    = 128
)

// sizeOf returns the bytes that a delivery is counted as.
func sizeOf(d *webhook.Delivery) int64 {
	n := deliveryCost + len(d.Body)
	for name, values := range d.Header {
		for _, v := range values {
			n += fieldCost + len(name) + len(v)
		}
	}
	return int64(n)
}

// put stores a delivery of a bin. Before that it deletes old ones to make room: the oldest of
// the bin if it has too many, and if all bins have too many bytes, the oldest of the bin that
// has the most, so that a bin with many calls does not cost the others theirs.
func (c *captures) put(ctx context.Context, name string, d *webhook.Delivery) error {
	d.Header.Set(nameHeader, name)
	one := &capture{uid: d.UID, bin: name, size: sizeOf(d)}
	c.add(one)
	if err := c.makeRoom(ctx, name); err != nil {
		c.forget(one)
		return err
	}
	if err := c.inbox.Put(ctx, d); err != nil {
		c.forget(one)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one.stored = true
	return nil
}

func (c *captures) add(one *capture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.byBin[one.bin]
	if own == nil {
		own = new(shelf)
		c.byBin[one.bin] = own
	}
	one.place = own.PushBack(one)
	own.bytes += one.size
	c.bytes += one.size
}

// forget no longer counts a capture. It may be called twice.
func (c *captures) forget(one *capture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one.place == nil {
		return
	}
	own := c.byBin[one.bin]
	own.Remove(one.place)
	one.place = nil
	if own.Len() == 0 {
		delete(c.byBin, one.bin)
	}
	own.bytes -= one.size
	c.bytes -= one.size
}

// makeRoom deletes the oldest captures until there are no more than allowed.
func (c *captures) makeRoom(ctx context.Context, name string) error {
	tried := make(map[*capture]bool)
	for {
		one, over := c.oldest(name, tried)
		switch {
		case !over:
			return nil
		case one == nil:
			return errNoRoom
		}
		tried[one] = true
		if err := c.delete(ctx, one); err != nil && !errors.Is(err, webhook.ErrState) {
			return err
		}
	}
}

// oldest returns what to delete next, and whether there is too much. It is nil if nothing can
// be deleted that was not tried before.
func (c *captures) oldest(name string, tried map[*capture]bool) (one *capture, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own := c.byBin[name]; own != nil && own.Len() > c.perBin {
		return own.oldest(tried), true
	}
	if c.bytes <= c.maxBytes {
		return nil, false
	}
	var most int64
	for _, s := range c.byBin {
		if s.bytes > most {
			if found := s.oldest(tried); found != nil {
				one, most = found, s.bytes
			}
		}
	}
	return one, true
}

// oldest returns the oldest capture that is stored and was not tried before, or nil.
func (s *shelf) oldest(tried map[*capture]bool) *capture {
	for e := s.Front(); e != nil; e = e.Next() {
		if one := e.Value.(*capture); one.stored && !tried[one] {
			return one
		}
	}
	return nil
}

// note is who deletes captures, and why.
var note = webhook.Note{By: "inspector", Why: "there is no more room, or its bin has expired"}

// delete deletes a capture, also one that waits for its forward. The error is
// webhook.ErrState if it is being forwarded.
func (c *captures) delete(ctx context.Context, one *capture) error {
	_, err := c.inbox.Discard(ctx, webhook.Filter{UID: one.uid}, note)
	if errors.Is(err, webhook.ErrState) {
		_ = c.inbox.Bury(ctx, one.uid, note) // if it cannot, the discard fails again
		_, err = c.inbox.Discard(ctx, webhook.Filter{UID: one.uid}, note)
	}
	if err != nil && !errors.Is(err, webhook.ErrNotFound) { // swept
		return err
	}
	c.forget(one)
	return nil
}

// bins returns the names of the bins that have captures.
func (c *captures) bins() (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.byBin {
		names = append(names, name)
	}
	return names
}

// count returns how many captures and answers a bin has.
func (c *captures) count(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own := c.byBin[name]; own != nil {
		return own.Len()
	}
	return 0
}

// deleteBin deletes the captures of a bin, but for those that are being forwarded.
func (c *captures) deleteBin(ctx context.Context, name string) error {
	for _, one := range c.storedOf(name) {
		if err := c.delete(ctx, one); err != nil && !errors.Is(err, webhook.ErrState) {
			return err
		}
	}
	return nil
}

func (c *captures) storedOf(name string) (found []*capture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.byBin[name]
	if own == nil {
		return nil
	}
	for e := own.Front(); e != nil; e = e.Next() {
		if one := e.Value.(*capture); one.stored {
			found = append(found, one)
		}
	}
	return found
}
