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
	// defaultRate and maxRate are with how many deliveries of a selection it is done a second.
	defaultRate = 5
	maxRate     = 100
	// keptFaults is how many deliveries of a selection are shown that were skipped.
	keptFaults = 50
)

// The states of an act on a selection.
const (
	runRunning = "running"
	runDone    = "done"
	runStopped = "stopped"
	runFailed  = "failed"
)

// A selectionRun is an act on a selection, as JSON. What another goroutine reads of it
// is a copy.
type selectionRun struct {
	ID        int64         `json:"id"`
	Act       string        `json:"act"` // replay, or bury
	State     string        `json:"state"`
	Selection selectionText `json:"selection"`
	Rate      int           `json:"rate"`
	By        string        `json:"by"`
	Why       string        `json:"why"`
	Began     time.Time     `json:"began_at"`
	Ended     time.Time     `json:"ended_at,omitzero"`
	Matched   *matched      `json:"matched,omitempty"` // nil: not counted yet
	Replayed  int           `json:"replayed"`
	Buried    int           `json:"buried"`
	Skipped   int           `json:"skipped"`
	Faults    []fault       `json:"faults"` // the first keptFaults, and that of the store
	Error     string        `json:"error,omitempty"`

	of   selection
	note webhook.Note
	stop context.CancelCauseFunc
}

// Kind returns what is done.
func (r selectionRun) Kind() *selectionKind { return r.of.kind }

// Done returns with how many deliveries it was done.
func (r selectionRun) Done() int { return r.Replayed + r.Buried }

// Verb returns what a delivery is that it was done with.
func (k *selectionKind) Verb() string { return k.done }

// Name returns the name of the kind, as a parameter has it.
func (k *selectionKind) Name() string { return k.name }

// A fault is a delivery that was skipped, and why.
type fault struct {
	UID   string `json:"uid"`
	Error string `json:"error"`
}

// Text says what the selection is.
func (r selectionRun) Text() string { return r.of.text() }

// Again is the page that asks whether it is to be done with the rest: what it was done with has
// left the selection.
func (r selectionRun) Again() string {
	if r.of.seqs != nil {
		return "" // they are too many for a URL
	}
	q := r.Selection.parameters()
	q.Set("act", r.Act)
	return "select?" + q.Encode()
}

// start begins an act on a selection in the background. It goes on when the viewer has left.
func (in *Inspector) start(s selection, rate int, note webhook.Note) (selectionRun, error) {
	if rate == 0 {
		rate = defaultRate
	}
	if rate < 1 || rate > maxRate {
		return selectionRun{}, badRequest("rate is %d deliveries a second; it must be from 1 to %d", rate, maxRate)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &selectionRun{
		Act: s.kind.name, State: runRunning, Selection: s.exact(), Rate: rate, By: note.By, Why: shownReason(note.Why), Began: time.Now().UTC(), Faults: []fault{},
		of: s, note: note, stop: cancel,
	}
	if err := in.runs.begin(r); err != nil {
		cancel(err)
		in.acts.add(act{Act: s.kind.act, Of: s.text(), By: note.By, Why: note.Why, Error: err.Error()})
		return selectionRun{}, err
	}
	began := *r
	in.acts.add(act{Act: s.kind.act, Of: s.text(), By: note.By, Why: note.Why, Result: "began"})
	in.logger().Info("inspector: the "+s.kind.noun+" of a selection begins", "selection", s.text(), "rate", rate, "by", note.By, "why", began.Why)
	go in.run(ctx, r)
	return began, nil
}

// run does an act on a selection, and records what came of it.
func (in *Inspector) run(ctx context.Context, r *selectionRun) {
	defer r.stop(nil)
	err := in.onAll(ctx, r)
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
			r.Skipped = len(r.of.seqs) - r.Done() // with those that were not found
		}
		r.State, r.Error, r.Ended = state, text, time.Now().UTC()
		last = *r
	})
	result := fmt.Sprintf("%s: %d %s, %d skipped", state, last.Done(), r.of.kind.done, last.Skipped)
	in.acts.add(act{Act: r.of.kind.act, Of: r.of.text(), By: r.note.By, Why: r.note.Why, Result: result, Error: text})
	in.logger().Info("inspector: the "+r.of.kind.noun+" of a selection ends", "selection", r.of.text(), "state", state, r.of.kind.done, last.Done(), "skipped", last.Skipped, "error", err)
}

// onAll does it with the deliveries of a selection at its rate. Its error is a stopCause if it
// was stopped, and otherwise that of the store.
func (in *Inspector) onAll(ctx context.Context, r *selectionRun) (err error) {
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
		if err := in.onOne(ctx, r, *d); err != nil {
			return err
		}
	}
}

// onOne does it with the run of a delivery that was found, and no later one: somebody else may have
// replayed it since.
func (in *Inspector) onOne(ctx context.Context, r *selectionRun, d webhook.Record) error {
	// It is not cut off: nobody would know whether it was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	skipped, err := r.of.kind.onOne(ctx, in, d, r.note)
	in.runs.change(r, func() {
		switch {
		case skipped == "" && r.of.kind == burying:
			r.Buried++
			return
		case skipped == "":
			r.Replayed++
			return
		case err == nil:
			r.Skipped++
		}
		if len(r.Faults) < keptFaults || err != nil {
			r.Faults = append(r.Faults, fault{d.Delivery.UID, skipped})
		}
	})
	return err
}
