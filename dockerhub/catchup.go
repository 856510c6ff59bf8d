package dockerhub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// CatchUpInbox is what a [CatchUp] needs of an inbox. [webhook.MemInbox] and the Inbox of
// package sqlinbox have it.
type CatchUpInbox interface {
	webhook.Inbox
	webhook.Cursors
}

// A CatchUp asks the registry which digest the tags of a repository have, and puts a push into
// the inbox for each digest that it has not put before. So the newest image of each tag is
// handed over at least once, also if Docker Hub's call was lost. It is a [webhook.Runner], for
// [webhook.Serve]:
//
//	catchUp := dockerhub.NewCatchUp(client, "acme/app", []dockerhub.Tag{"latest"}, source, inbox)
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// What it hands over, and when:
//
//   - The delivery is a [Push] with the tag and the names of the repository, and with PushedAt
//     and Pusher if Docker Hub's API has them: see [Client.LastPush]. It has RepoURL if the
//     registry is Docker Hub's. Its Header has the digest in Docker-Content-Digest, which no
//     call has.
//   - The first look hands over every tag. Later ones hand over nothing until a tag moves.
//   - Calls name no digest. So a push whose call was received is handed over once more at the
//     next look, and coalesces with the call if that still waits. A callback must do nothing for
//     an image that it has handled.
//   - Of several pushes between two looks only the last is found.
//   - A tag that does not exist is no error: it is handed over when it is pushed.
//
// [webhook.Delivery.Unsigned] is set, as a call of Docker Hub is not signed either. The delivery is
// as trustworthy as the connection to the registry.
//
// A CatchUp looks when Run begins, after the machine has slept, when [CatchUp.Look] or its
// [CatchUp.Observer] says so, and at an interval if Every is set. Its progress is a cursor in the
// inbox for each tag, which is set after the push is stored: a process that ends in between finds
// it again and skips nothing. An inbox may refuse the ten thousandth cursor.
//
// What fails is tried again and logged once, until it works or fails in another way. A tag that
// fails holds up no other and no interval, and is tried again alone: after five seconds, and then
// less and less often, up to five minutes. If another request does not mend it, since the
// registry answers 4xx or without a digest, or the inbox will never store the push, that is after
// one minute, and up to 30 minutes. If the registry limits or denies the requests, or the inbox
// fails otherwise, the look ends, and the next one goes on there.
//
// Package dockerhubtest is Docker Hub for tests.
//
// Set the fields before Run. The methods are safe for concurrent use.
type CatchUp struct {
	// Every is the time between two looks. A look is one HEAD for each tag, which is no pull,
	// and a request for a token when the last one has expired. Several repositories are spread
	// over it. Zero means no looks at intervals; otherwise it is a minute or more.
	Every time.Duration
	// Logger gets what was found, and what fails. If nil, slog.Default.
	Logger *slog.Logger

	client     *Client
	repository string
	tags       []Tag
	source     webhook.Source
	inbox      CatchUpInbox
	loop       *catchup.Loop
	status     catchup.Counter[CatchUpStatus]

	// Of Run only.
	first   int              // index of the tag with which the next look begins
	mute    bool             // Docker Hub's API has failed in this look, and is not asked again
	absent  map[Tag]bool     // it was logged that the registry does not have the tag
	found   map[Tag]position // what was counted last
	failed  map[Tag]error    // of the last look at a tag, if it failed for that tag only
	refused map[Tag]refusal  // what the inbox has refused for good
}

// A CatchUpStatus is what a [CatchUp] has done, for metrics. The numbers count since Run
// began.
type CatchUpStatus struct {
	Looks  int       // that were completed
	Looked time.Time // when the last of Looks ended, by this machine's clock; zero if there was none
	Found  int       // digests that were not handed over before
	Stored int       // of Found, those that the CatchUp has stored
	Err    error     // of the last look; nil if it worked
}

// NewCatchUp returns a CatchUp for tags of a repository, which is named as in a call, such as
// "acme/app". The source is that of the webhook's Receiver. If it has a Scope, the request that
// Scope gets has only two headers: pass a copy of the Source whose Scope returns the tenant. The
// inbox is the one into which the Receiver stores, or, behind a Spool, its primary one.
//
// NewCatchUp panics if the client or the inbox is nil.
func NewCatchUp(client *Client, repository string, tags []Tag, source webhook.Source, inbox CatchUpInbox) *CatchUp {
	if client == nil || inbox == nil {
		panic("dockerhub: NewCatchUp needs a client and an inbox")
	}
	return &CatchUp{client: client, repository: repository, tags: slices.Clone(tags), source: source, inbox: inbox, loop: catchup.NewLoop()}
}

// Look asks for a look soon, for example after the program has noticed that it could not be
// reached. It does not wait.
func (c *CatchUp) Look() { c.loop.Look() }

// Observer returns an Observer for the Receiver of the webhook. It asks for a look when the
// Receiver could not store a call or answered 500 or above, since Docker Hub does not try
// again. Combine it with others by [webhook.MultiObserver].
func (c *CatchUp) Observer() *webhook.Observer { return catchup.Observer(c.source.Name, c.Look) }

// Status returns what the CatchUp has done.
func (c *CatchUp) Status() CatchUpStatus { return c.status.Get() }

// Run looks until ctx ends, and then returns nil. The error is one of the CatchUp's settings, at
// once, or [webhook.ErrRunning] if Run is called twice.
func (c *CatchUp) Run(ctx context.Context) error {
	err := c.validate()
	if err == nil {
		err = c.loop.Run(ctx, catchup.Settings{
			Begin: func() {
				c.status.Change(func(s *CatchUpStatus) { *s = CatchUpStatus{} })
				c.first, c.absent, c.found = 0, make(map[Tag]bool), make(map[Tag]position)
				c.failed, c.refused = make(map[Tag]error), make(map[Tag]refusal)
			},
			Round:  c.round,
			Ended:  func(err error) { c.status.Change(func(s *CatchUpStatus) { s.Err = err }) },
			Every:  c.Every,
			Key:    c.cursor("").Name,
			Logger: c.Logger,
			Target: []any{"repository", c.repository},
			Kinds:  []error{errTags, ErrRateLimited, ErrDenied, ErrServer, ErrAnswer, ErrImage},
			Slow:   []error{ErrDenied, ErrImage, errRefused},
			Beside: []error{errTags},
			Until:  limitedUntil,
		})
	}
	if err != nil {
		return fmt.Errorf("dockerhub: catch-up of %s: %w", c.repository, err)
	}
	return nil
}

// limitedUntil returns the time before which the registry wants no request.
func limitedUntil(err error) (time.Time, bool) {
	status, ok := errors.AsType[*StatusError](err)
	if !ok || status.RetryAfter == 0 {
		return time.Time{}, false
	}
	return time.Now().Add(status.RetryAfter), true
}

func (c *CatchUp) validate() error {
	if !isRepository(c.repository) {
		return fmt.Errorf("%w: repository %q", ErrImage, c.repository)
	}
	if err := c.client.validate(); err != nil {
		return err
	}
	if len(c.tags) == 0 {
		return errors.New("there are no tags")
	}
	for _, tag := range c.tags {
		if !tag.Valid() {
			return fmt.Errorf("%w: tag %q", ErrImage, tag)
		}
		if err := c.cursor(tag).Check(); err != nil {
			return err
		}
	}
	if err := catchup.CheckEvery(c.Every); err != nil {
		return err
	}
	if c.source.Name == "" {
		return errors.New("the source has no name")
	}
	return nil
}

func (c *CatchUp) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

var _ webhook.Runner = (*CatchUp)(nil)
