package inspect

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Store has the deliveries that an Inspector shows. Every [webhook.Admin] is one, such
// as [webhook.MemInbox] and the Inbox of package sqlinbox. Its methods are those of Admin,
// with the same contracts.
type Store interface {
	All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error]
	Get(ctx context.Context, uid string) (webhook.Record, error)
	Overview(ctx context.Context, limit int) (webhook.Overview, error)
}

// An Actor is a Store in which a person can act. Every [webhook.Admin] is one.
type Actor interface {
	Store
	Replay(ctx context.Context, f webhook.Filter, n webhook.Note) (int, error)
	Bury(ctx context.Context, uid string, n webhook.Note) error
	Release(ctx context.Context, uid string) error
	Pause(ctx context.Context, typ string, n webhook.Note) error
	Resume(ctx context.Context, typ string, n webhook.Note) error
}

var (
	_ Store = webhook.Admin(nil)
	_ Actor = webhook.Admin(nil)
)

// An Inspector is an http.Handler that shows the deliveries of a Store. Make it with
// [New], and set the fields before use. It is safe for concurrent use.
type Inspector struct {
	// ReadOnly refuses every act. It is also in force if the Store is no [Actor].
	ReadOnly bool
	// Hosts are the names by which the inspector may be called, such as "ops.example.com",
	// without a port. A request with another Host is refused. Set it if Protect lets
	// somebody in by their address or network: otherwise a page elsewhere whose name
	// suddenly resolves to this address could read the inspector through the browser of such
	// a person (DNS rebinding). If nil, every Host is allowed that Protect allows.
	Hosts []string
	// Send lets people send a body to a URL, signed with a key for tests. If nil, nobody can.
	Send *Send
	// Redact are names of further headers whose values are not shown, in any case. Those
	// that the package knows are always redacted; see "What is never shown".
	Redact []string
	// Calls is how many calls are kept of those that a watched receiver refused, and of the
	// others; see Watch. Zero means 200, and a negative number none.
	Calls int
	// CallBytes is about how much memory the kept calls have, and as much again the bodies of
	// calls in progress. Zero means 8 MiB, and a negative number none.
	CallBytes int64
	// OldKeys are keys that are no longer accepted, such as one that was revoked. A call with
	// one of them is still refused, and its page names the label. If nil, there are none.
	OldKeys []webhook.Key
	// Summarize returns a line that says what a delivery is about, such as "push of 3 commits
	// to acme/app main by jane", or an empty text if it does not know. The packages of the
	// senders have such funcs, and cmp.Or joins them: cmp.Or(github.Summary(d), kudu.Summary(d)).
	// It is called concurrently, for a page of one delivery with a body of at most 1 MiB. If
	// nil, pages have no such line.
	Summarize func(d *webhook.Delivery) string
	// Links are in the navigation of each page, after those of the inspector.
	Links []Link
	// Logger gets each act, and why the Store has failed. If nil, slog.Default.
	Logger *slog.Logger

	store    Store
	actor    Actor // nil if the store is none
	protect  Protect
	cross    *http.CrossOriginProtection
	acts     actLog
	runs     runLog
	bodies   chan struct{} // a slot for each delivery that is loaded with its body
	files    chan struct{} // a slot for each body that is being downloaded
	sends    chan struct{} // a slot for each request that is being sent
	overview cached[webhook.Overview]
	chart    cached[chart]
	hub      hub
	seen     topSeq
	watched  watchedSources
	calls    callRing
	why      whyLimit
}

// A Link is one to a page of the program.
type Link struct {
	Text string
	URL  string // relative to the place where the inspector is mounted, or http or https
}

const (
	// storeTimeout bounds a call of the Store.
	storeTimeout = 10 * time.Second
	// bodySlots is how many bodies are in memory at a time, and slotTimeout how long a
	// request waits for one. No more than fileSlots of them are downloads, which last as
	// long as their viewers read.
	bodySlots   = 4
	fileSlots   = 2
	slotTimeout = 5 * time.Second
	// countLimit is how far deliveries of a state are counted.
	countLimit = 10_000
	// numbersFor is how old the numbers may be that all viewers share.
	numbersFor = 2 * time.Second
)

// New returns an Inspector of store. protect decides who may use it, and must not be nil,
// because the bodies of stored deliveries may be confidential. [LoopbackOnly] allows use
// without a password, from the machine on which the program runs only.
func New(store Store, protect Protect) (*Inspector, error) {
	switch {
	case store == nil:
		return nil, errors.New("inspect: New needs a store")
	case protect == nil:
		return nil, errors.New("inspect: New needs protect, such as BasicAuth, or LoopbackOnly for this machine alone")
	}
	in := &Inspector{store: store, protect: protect, cross: http.NewCrossOriginProtection(), bodies: make(chan struct{}, bodySlots), files: make(chan struct{}, fileSlots)}
	in.why.slot = make(chan struct{}, 1)
	in.actor, _ = store.(Actor)
	in.sends = make(chan struct{}, sendSlots)
	return in, nil
}

// Close ends the live streams, which otherwise go on for five minutes, and the replay of a
// selection, after the delivery that is being replayed. It refuses new ones. It does not
// wait for them. Pass it to [http.Server.RegisterOnShutdown], so that a shutdown need not
// wait for viewers. It may be called more than once.
func (in *Inspector) Close() {
	in.hub.close()
	in.runs.close()
}

func (in *Inspector) logger() *slog.Logger {
	if in.Logger == nil {
		return slog.Default()
	}
	return in.Logger
}

func (in *Inspector) readOnly() bool { return in.ReadOnly || in.actor == nil }

// get returns one delivery with its contents. The caller calls release when it no longer
// uses the body.
func (in *Inspector) get(ctx context.Context, uid string) (r webhook.Record, release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := takeSlot(ctx, in.bodies); err != nil {
		return r, nil, err
	}
	release = func() { <-in.bodies }
	r, err = in.store.Get(ctx, uid)
	if err != nil {
		release()
		return r, nil, err
	}
	return r, release, nil
}

// takeSlot waits for room in slots. The caller receives from slots when it is done.
func takeSlot(ctx context.Context, slots chan struct{}) error {
	wait := time.NewTimer(slotTimeout)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		return nil
	case <-wait.C:
		return requestError{http.StatusServiceUnavailable, "other viewers are loading deliveries; try again"}
	case <-ctx.Done():
		return ctx.Err()
	}
}
