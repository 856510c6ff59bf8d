package publish

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Create registers an endpoint and returns it as it is stored.
//
//   - If the ID is empty, it is generated: "ep_" and 32 digits. Otherwise it has up to 64
//     letters, digits, "_" and "-" of ASCII. Do not use that of a deleted endpoint again: the
//     new one counts as having got what the old one got.
//   - If there are no Secrets and the scheme generates some, it gets one. The result has it:
//     show it to the owner now. Endpoints that are read later have it too, so a page must
//     choose to hide it.
//   - It is active, or paused if State says so.
//   - The URL is judged by Publisher.Guard, all addresses of its host included.
//   - The error is [ErrEndpoint] if a field has a value that it cannot have, and [ErrExists]
//     if the ID, or the name for this owner, is in use. The error of the Guard is wrapped.
func (p *Publisher) Create(ctx context.Context, e Endpoint) (*Endpoint, error) {
	own := e.Clone()
	now := time.Now()
	if own.ID == "" {
		own.ID = newEndpointID()
	}
	if own.State == "" {
		own.State = Active
	}
	own.Since, own.Created, own.FailingSince, own.Last = now, now, time.Time{}, Attempt{}
	if own.State == Disabled {
		return nil, endpointError(own, "State "+quote(string(own.State)), "an endpoint is created active or paused")
	}
	if len(own.Secrets) == 0 {
		if scheme, err := p.scheme(own.Scheme); err == nil && scheme.Generate != nil {
			own.Secrets = []Secret{{Secret: scheme.Generate()}}
		}
	}
	if err := p.check(own); err != nil {
		return nil, err
	}
	if err := p.checkAddress(ctx, own); err != nil {
		return nil, err
	}
	return p.store.Create(ctx, own)
}

// Get returns an endpoint with its last attempt. The error is [ErrNotFound] if there is none.
func (p *Publisher) Get(ctx context.Context, id string) (*Endpoint, error) {
	return p.store.Get(ctx, id)
}

// Endpoints returns the endpoints that match f, in the order of their creation; see
// [Store.All].
func (p *Publisher) Endpoints(ctx context.Context, f Filter) iter.Seq2[*Endpoint, error] {
	return p.store.All(ctx, f)
}

// Update calls change with an endpoint, stores what it has become and returns that.
//
//   - What waits already goes by the new values within a second. With a new URL, scheme,
//     secret or rate, what the breaker or the rate holds back is tried at once. Retries keep
//     their times.
//   - Change may be called more than once, and must do no more than change its argument.
//   - What the Publisher keeps cannot be changed: ID, Owner, Created and the state. Use Pause
//     and Resume, and for secrets rather Rotate.
//   - The errors are those of Create, [ErrNotFound] if there is no such endpoint, and the
//     error of change.
func (p *Publisher) Update(ctx context.Context, id string, change func(e *Endpoint) error) (*Endpoint, error) {
	var tryNow bool
	updated, err := p.store.Update(ctx, id, func(e *Endpoint) error {
		before := e.Clone()
		if err := change(e); err != nil {
			return err
		}
		if field := keptField(before, e); field != "" {
			return endpointError(before, field, "it is kept by the Publisher and cannot be changed by Update")
		}
		if err := p.check(e); err != nil {
			return err
		}
		tryNow = fingerprintOf(before) != fingerprintOf(e)
		if before.URL == e.URL {
			return nil
		}
		return p.checkAddress(ctx, e)
	})
	p.endpoints.forget(id)
	if err != nil {
		return nil, err
	}
	if tryNow && updated.State == Active {
		if err := p.release(ctx, updated); err != nil {
			p.logger().Warn("deliveries of a changed endpoint could not be made due", "endpoint", updated, "reason", err)
		}
	}
	return updated, nil
}

// keptField returns the name of a field that only the Publisher changes and that differs.
func keptField(before, after *Endpoint) string {
	switch {
	case before.ID != after.ID:
		return "ID"
	case before.Owner != after.Owner:
		return "Owner"
	case !before.Created.Equal(after.Created):
		return "Created"
	case before.State != after.State:
		return "State"
	case before.Reason != after.Reason:
		return "Reason"
	case !before.Since.Equal(after.Since):
		return "Since"
	case !before.FailingSince.Equal(after.FailingSince):
		return "FailingSince"
	}
	return ""
}

// Delete deletes an endpoint. No request to it begins later than a second after Delete has
// returned, in any process: deliveries that wait for it end ignored, now if the outbox is a
// [webhook.Admin], and otherwise when their time comes. Its attempts remain until they are
// old. The error is [ErrNotFound] if there is no such endpoint.
func (p *Publisher) Delete(ctx context.Context, id string) error {
	e, err := p.store.Get(ctx, id)
	if err != nil {
		return err
	}
	err = p.store.Delete(ctx, id)
	p.endpoints.forget(id)
	if err != nil {
		return err
	}
	p.forget(id)
	if err := p.giveUp(ctx, e); err != nil {
		p.logger().Warn("deliveries of a deleted endpoint could not be ended at once, and end when they are due", "endpoint", e, "reason", err)
	}
	return nil
}

// Rotate gives an endpoint a new secret. The others end after overlap, or at their own time
// if that is sooner; without an overlap they end now.
//
//   - If next is zero, it is generated. The result has it last: show it to the owner.
//   - With Standard Webhooks, requests have the signatures of all live secrets, so receivers
//     can change at any time of the overlap. A day is usual.
//   - With a scheme of one signature, the oldest live secret signs until it ends.
//   - The error is [ErrEndpoint] if overlap is negative, if the scheme cannot use next, or if
//     there would be more than 16 live secrets.
func (p *Publisher) Rotate(ctx context.Context, id string, next webhook.Secret, overlap time.Duration) (*Endpoint, error) {
	given := next
	return p.Update(ctx, id, func(e *Endpoint) error {
		if overlap < 0 {
			return endpointError(e, "overlap "+overlap.String(), "it is negative")
		}
		next := given
		if next.IsZero() {
			scheme, err := p.scheme(e.Scheme)
			if err != nil || scheme.Generate == nil {
				return endpointError(e, shown("Scheme", e.Scheme), "it does not generate secrets: supply one")
			}
			next = scheme.Generate()
		}
		now := time.Now()
		end := now.Add(overlap)
		var live []Secret
		for _, s := range e.Secrets {
			if s.Until.IsZero() || s.Until.After(end) {
				s.Until = end
			}
			if s.Until.After(now) {
				live = append(live, s)
			}
		}
		e.Secrets = append(live, Secret{Secret: next})
		return nil
	})
}

// endpointError returns an [ErrEndpoint] that names the field and the fault.
func endpointError(e *Endpoint, field, fault string) error {
	return fmt.Errorf("%w %s: %w", ErrEndpoint, quote(e.ID), errors.New(field+": "+fault))
}

func newEndpointID() string {
	var raw [16]byte
	rand.Read(raw[:]) // never fails
	return "ep_" + hex.EncodeToString(raw[:])
}
