package model

import (
	"context"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

func (p *client) note() webhook.Note { return webhook.Note{By: p.name} }

// administer buries, discards, pauses or resumes.
func (p *client) administer(ctx context.Context, pl *plan, o op) string {
	e := p.history.begin(p, o)
	var err error
	switch o.verb {
	case burying:
		e.uid = pl.specs[o.specs[0]].uid
		err = p.inbox.Bury(ctx, e.uid, p.note())
	case discarding:
		f := webhook.Filter{States: []webhook.State{webhook.Done, webhook.Dead, webhook.Superseded, webhook.Ignored}}
		if !o.all {
			f = webhook.Filter{UID: pl.specs[o.specs[0]].uid}
		}
		e.n, err = p.inbox.Discard(ctx, f, p.note())
	case pausing:
		err = p.inbox.Pause(ctx, o.types[0], p.note())
	case resuming:
		err = p.inbox.Resume(ctx, o.types[0], p.note())
	}
	return p.history.end(e, err)
}

// isAdmin reports whether e may find that the state does not allow it.
func (e *call) isAdmin() bool {
	return slices.Contains([]verb{releasing, replaying, burying, discarding, pausing, resuming}, e.op.verb)
}

// deletes reports whether e deletes finished deliveries.
func (e *call) deletes() bool { return e.op.verb == sweeping || e.op.verb == discarding }

// buries reports whether e has buried the delivery with the UID.
func (e *call) buries(uid string) bool { return e.op.verb == burying && e.uid == uid && e.err == nil }

// checkPauses checks that a Claim that began after a Pause claimed nothing of its type,
// unless a Resume may have ended that.
func (j *checker) checkPauses() {
	for _, e := range j.calls {
		for _, c := range e.claims {
			for _, p := range j.calls {
				if p.op.verb != pausing || p.err != nil || p.ended > e.began || p.op.types[0] != "" && p.op.types[0] != c.Delivery.Type {
					continue
				}
				if !slices.ContainsFunc(j.calls, func(r *call) bool {
					return r.op.verb == resuming && r.op.types[0] == p.op.types[0] && r.ended > p.began && r.began < e.ended
				}) {
					j.fault("paused: %s was claimed after a pause of %q", c.Delivery.UID, p.op.types[0])
				}
			}
		}
	}
}
