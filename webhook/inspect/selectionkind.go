package inspect

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// A selectionKind is what is done with the deliveries of a selection.
type selectionKind struct {
	name   string // as the parameter act has it
	act    string // as the log of acts has it
	stop   string // of its end
	noun   string // for the log
	done   string // what a delivery is that it was done with
	states []webhook.State
	needs  string // the error if a selection can have none of these states
	// Of the pages.
	Button, Title, Of, Says, Skipped string
	// one does it with the run of a delivery that was found, and returns 0 if that is no more
	// there.
	one func(ctx context.Context, in *Inspector, d webhook.Record, n webhook.Note) (int, error)
}

var (
	replaying = &selectionKind{
		name: "replay", act: "replay a selection", stop: "stop a replay", noun: "replay", done: "replayed",
		states: []webhook.State{webhook.Done, webhook.Dead, webhook.Superseded, webhook.Ignored},
		needs:  "only finished deliveries can be replayed: done, dead, superseded, ignored",
		Button: "Replay", Title: "Replay a selection", Of: "finished",
		Says:    "They run again, oldest first and behind live ones, with their attempts counted from zero. Deliveries that arrive from now on are not among them.",
		Skipped: "Those that are not finished are skipped.",
		one: func(ctx context.Context, in *Inspector, d webhook.Record, n webhook.Note) (int, error) {
			return in.actor.Replay(ctx, theRun(d), n)
		},
	}
	burying = &selectionKind{
		name: "bury", act: "bury a selection", stop: "stop a burial", noun: "burial", done: "buried",
		states: []webhook.State{webhook.Waiting, webhook.Blocked},
		needs:  "only deliveries that wait can be buried: waiting, blocked",
		Button: "Bury", Title: "Bury a selection", Of: "waiting or blocked",
		Says:    "They become dead letters, oldest first, and do not run. Each can be replayed later. Deliveries that arrive from now on are not among them.",
		Skipped: "Those that a worker has claimed, and those that are finished, are skipped.",
		one: func(ctx context.Context, in *Inspector, d webhook.Record, n webhook.Note) (int, error) {
			// A later run of it, by a replay since, is not meant.
			if found, err := in.read(ctx, theRun(d)); err != nil || len(found) == 0 {
				return 0, err
			}
			if err := in.actor.Bury(ctx, d.Delivery.UID, n); err != nil {
				return 0, err
			}
			return 1, nil
		},
	}
	selectionKinds = []*selectionKind{replaying, burying}
)

// theRun returns the filter of the run of a delivery that was found: a later one has another Seq.
func theRun(d webhook.Record) webhook.Filter {
	return webhook.Filter{UID: d.Delivery.UID, After: d.Seq - 1, Before: d.Seq + 1}
}

// kindOf returns the kind with a name, or replaying if it is empty.
func kindOf(name string) (*selectionKind, error) {
	for _, k := range selectionKinds {
		if k.name == name || name == "" {
			return k, nil
		}
	}
	return nil, badRequest("act is %.64q; it must be replay or bury", name)
}

// onOne does what the kind is with a delivery, and returns why it is skipped, or empty if it is
// done. The error is that of a store that has failed.
func (k *selectionKind) onOne(ctx context.Context, in *Inspector, d webhook.Record, n webhook.Note) (skipped string, err error) {
	done, err := k.one(ctx, in, d, n)
	switch {
	case err == nil && done == 1:
		return "", nil
	case err == nil || errors.Is(err, webhook.ErrNotFound):
		return "it was replayed or deleted since", nil
	case errors.Is(err, webhook.ErrState) && k == burying:
		return "a worker has claimed it, or it is finished", nil
	case errors.Is(err, webhook.ErrState):
		return "its state does not allow it, or a younger one of its ordering key stands for it", nil
	}
	return fmt.Sprintf("the store failed; it may have been %s", k.done), err
}
