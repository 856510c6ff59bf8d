package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// defaultRate and maxRate are how many deliveries of a selection are replayed a second.
	defaultRate = 5
	maxRate     = 100
	// keptFaults is how many deliveries of a selection are shown that were not replayed.
	keptFaults = 50
)

// The states of a replay of a selection.
const (
	runRunning = "running"
	runDone    = "done"
	runStopped = "stopped"
	runFailed  = "failed"
)

// replaySelection is the name of the act.
const replaySelection = "replay a selection"

// A selectionRun is the replay of a selection, as JSON. What another goroutine reads of it
// is a copy.
type selectionRun struct {
	ID        int64         `json:"id"`
	State     string        `json:"state"`
	Selection selectionText `json:"selection"`
	Rate      int           `json:"rate"`
	By        string        `json:"by"`
	Why       string        `json:"why"`
	Began     time.Time     `json:"began_at"`
	Ended     time.Time     `json:"ended_at,omitzero"`
	Matched   *matched      `json:"matched,omitempty"` // nil: not counted yet
	Replayed  int           `json:"replayed"`
	Skipped   int           `json:"skipped"`
	Faults    []fault       `json:"faults"` // the first keptFaults, and that of the store
	Error     string        `json:"error,omitempty"`

	of   selection
	note webhook.Note
	stop context.CancelCauseFunc
}

// A fault is a delivery that was not replayed, and why.
type fault struct {
	UID   string `json:"uid"`
	Error string `json:"error"`
}

// Text says what the selection is.
func (r selectionRun) Text() string { return r.of.text() }

// Again is the page that asks whether the rest is to be replayed: what was replayed has left
// the selection.
func (r selectionRun) Again() string {
	if r.of.seqs != nil {
		return "" // they are too many for a URL
	}
	return "select?" + r.Selection.parameters().Encode()
}

// start begins to replay a selection in the background. It goes on when the viewer has left.
func (in *Inspector) start(s selection, rate int, note webhook.Note) (selectionRun, error) {
	if rate == 0 {
		rate = defaultRate
	}
	if rate < 1 || rate > maxRate {
		return selectionRun{}, badRequest("rate is %d deliveries a second; it must be from 1 to %d", rate, maxRate)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &selectionRun{
		State: runRunning, Selection: s.exact(), Rate: rate, By: note.By, Why: shownReason(note.Why), Began: time.Now().UTC(), Faults: []fault{},
		of: s, note: note, stop: cancel,
	}
	if err := in.runs.begin(r); err != nil {
		cancel(err)
		in.acts.add(act{Act: replaySelection, Of: s.text(), By: note.By, Why: note.Why, Error: err.Error()})
		return selectionRun{}, err
	}
	began := *r
	in.acts.add(act{Act: replaySelection, Of: s.text(), By: note.By, Why: note.Why, Result: "began"})
	in.logger().Info("inspector: the replay of a selection begins", "selection", s.text(), "rate", rate, "by", note.By, "why", began.Why)
	go in.run(ctx, r)
	return began, nil
}

// run replays a selection, and records what came of it.
func (in *Inspector) run(ctx context.Context, r *selectionRun) {
	defer r.stop(nil)
	err := in.replayAll(ctx, r)
	state, text := runDone, ""
	var cause stopCause
	switch {
	case errors.As(err, &cause):
		state, text = runStopped, string(cause)
	case err != nil:
		state, text = runFailed, "the store failed; the log says why"
	}
	in.overview.forget()
	var last selectionRun
	in.runs.change(r, func() {
		if r.of.seqs != nil && err == nil {
			r.Skipped = len(r.of.seqs) - r.Replayed // with those that were not found
		}
		r.State, r.Error, r.Ended = state, text, time.Now().UTC()
		last = *r
	})
	result := fmt.Sprintf("%s: %d replayed, %d skipped", state, last.Replayed, last.Skipped)
	in.acts.add(act{Act: replaySelection, Of: r.of.text(), By: r.note.By, Why: r.note.Why, Result: result, Error: text})
	in.logger().Info("inspector: the replay of a selection ends", "selection", r.of.text(), "state", state, "replayed", last.Replayed, "skipped", last.Skipped, "error", err)
}

// replayAll replays the deliveries of a selection at its rate. Its error is a stopCause if it
// was stopped, and otherwise that of the store.
func (in *Inspector) replayAll(ctx context.Context, r *selectionRun) (err error) {
	defer recoverTo(&err)
	fail := func(err error) error { return cmp.Or(context.Cause(ctx), err) }
	n, err := in.count(ctx, r.of)
	if err != nil {
		return fail(err)
	}
	in.runs.change(r, func() { r.Matched = &n })
	rate := time.NewTicker(time.Second / time.Duration(r.Rate))
	defer rate.Stop()
	for w := in.walk(r.of); ; {
		d, err := w.next(ctx)
		if err != nil {
			return fail(err)
		}
		if d == nil {
			return nil
		}
		select {
		case <-rate.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // also if both are ready
			return fail(nil)
		}
		if err := in.replayOne(ctx, r, *d); err != nil {
			return err
		}
	}
}

// replayOne replays the run of a delivery that was found, and no later one: somebody else may
// have replayed it since.
func (in *Inspector) replayOne(ctx context.Context, r *selectionRun, d webhook.Record) error {
	// It is not cut off: nobody would know whether it was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	uid := d.Delivery.UID
	n, err := in.actor.Replay(ctx, webhook.Filter{UID: uid, After: d.Seq - 1, Before: d.Seq + 1}, r.note)
	text := ""
	switch {
	case err == nil && n == 1:
	case err == nil || errors.Is(err, webhook.ErrNotFound):
		text, err = "it was replayed or deleted since", nil
	case errors.Is(err, webhook.ErrState):
		text, err = "its state does not allow it, or a younger one of its ordering key stands for it", nil
	default:
		text = "the store failed; it may have been replayed"
	}
	in.runs.change(r, func() {
		switch {
		case text == "":
			r.Replayed++
			return
		case err == nil:
			r.Skipped++
		}
		if len(r.Faults) < keptFaults || err != nil {
			r.Faults = append(r.Faults, fault{uid, text})
		}
	})
	return err
}
