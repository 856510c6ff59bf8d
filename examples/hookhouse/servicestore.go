package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

// A serviceStore is a running service, by the API of its inspector.
type serviceStore struct {
	*service.Client
	user string
}

var _ store = (*serviceStore)(nil)

// openService returns the service at a URL. It makes no call. Who acts is the user of the
// inspector, unless -by says otherwise.
func openService(at string, o *options) (*serviceStore, error) {
	if o.noted && o.note.Why == "" {
		return nil, usagef("needs -why: a service records who acts and why")
	}
	user := cmp.Or(o.user, os.Getenv("HOOKHOUSE_USER"))
	password, err := oneLine("HOOKHOUSE_PASSWORD")
	switch {
	case err != nil:
		return nil, err
	case user != "" && password == "":
		return nil, usagef("no password of %s: set HOOKHOUSE_PASSWORD or HOOKHOUSE_PASSWORD_FILE", quoted(user))
	case user == "" && password != "":
		return nil, usagef("there is a password and no user: set -user or HOOKHOUSE_USER")
	}
	if password != "" && !o.allowHTTP && service.IsReadable(at) {
		return nil, usagef("-url: over http others can read the password on its way to another machine; use https, or -allow-http if nobody else is on the way")
	}
	c, err := service.New(at, user, webhook.NewSecret(password))
	switch {
	case errors.Is(err, service.ErrURL):
		return nil, usagef("-url: %v; a name is -user or HOOKHOUSE_USER, and a password HOOKHOUSE_PASSWORD", err)
	case err != nil:
		return nil, usagef("%v", err)
	}
	o.note.By = cmp.Or(o.note.By, user, loginName())
	return &serviceStore{c, user}, nil
}

// advise says what to do about an error of the service.
func (s *serviceStore) advise(err error) error {
	switch {
	case errors.Is(err, service.ErrDenied) && s.user == "":
		return fmt.Errorf("%w; if it asks for a password, set -user and HOOKHOUSE_PASSWORD", err)
	case errors.Is(err, service.ErrDenied):
		return fmt.Errorf("%w; this was said to the user %s", err, quoted(s.user))
	case errors.Is(err, service.ErrNotInspector):
		return fmt.Errorf("%w; -url is the place where the program has mounted its inspector, such as https://service.example.com/debug/hooks/", err)
	}
	return err
}

// Body returns the body of a delivery, which must be whole.
func (s *serviceStore) Body(ctx context.Context, uid string) ([]byte, error) {
	r, err := s.Get(ctx, uid)
	if err != nil {
		return nil, err
	}
	return s.Client.Body(ctx, uid, r.Size)
}

// maxReplayed bounds how many deliveries one command replays at a service.
const maxReplayed = 10_000

// ReplayEvery replays one delivery after the other, oldest first, and waits between them
// itself: the API replays one at a time. One that has changed since it was listed is skipped.
func (s *serviceStore) ReplayEvery(ctx context.Context, f webhook.Filter, n webhook.Note, every time.Duration) (int, error) {
	if f.UID != "" {
		if err := s.Replay(ctx, f.UID, 0, n); err != nil {
			return 0, err
		}
		return 1, nil
	}
	type run struct {
		uid string
		seq int64
	}
	var runs []run // newest first
	for r, err := range s.All(ctx, f) {
		switch {
		case err != nil:
			return 0, err
		case len(runs) == maxReplayed:
			return 0, fmt.Errorf("more than %d match: set -limit, or filters that fewer match", maxReplayed)
		}
		runs = append(runs, run{r.Delivery.UID, r.Seq})
	}
	done := 0
	for i := len(runs) - 1; i >= 0; i-- {
		switch err := s.Replay(ctx, runs[i].uid, runs[i].seq, n); {
		case errors.Is(err, webhook.ErrState), errors.Is(err, webhook.ErrNotFound):
			continue
		case err != nil:
			return done, err
		}
		done++
		if i > 0 {
			if err := service.Pause(ctx, every); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// release releases a delivery. The command has no -why, and the service demands one.
func (s *serviceStore) release(ctx context.Context, uid string, n webhook.Note) error {
	n.Why = cmp.Or(n.Why, "by hookhouse release")
	return s.Release(ctx, uid, n)
}

func (s *serviceStore) numbers(ctx context.Context) (numbers, error) {
	o, _, err := s.Overview(ctx)
	if err != nil {
		return numbers{}, err
	}
	n := numbers{
		Stats: webhook.Stats{Count: make(map[webhook.State]int), Oldest: o.Oldest, Paused: o.Paused},
		more:  make(map[webhook.State]bool), partial: true,
	}
	for state, c := range o.Count {
		n.Count[state], n.more[state] = c.N, c.More
	}
	return n, nil
}

func (s *serviceStore) follow(f webhook.Filter, _ time.Duration) feed {
	return &listener{tailer: newTailer(s, f), client: s.Client}
}

// check calls the service.
func (s *serviceStore) check(ctx context.Context) (string, error) {
	switch _, readOnly, err := s.Overview(ctx); {
	case err != nil:
		return "", fmt.Errorf("-check: %w", err)
	case readOnly:
		return "the service answers; it is read-only", nil
	}
	return "the service answers", nil
}

func (s *serviceStore) close() { s.Close() }
