package kudu

import (
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// CatchUpInbox is what a [CatchUp] needs of an inbox. [webhook.MemInbox] and the Inbox of
// package sqlinbox have it. Its Window must be longer than [CatchUp.MaxAge]: Kudu lists what
// ended months ago, and what the inbox has forgotten would run again.
type CatchUpInbox interface {
	webhook.Inbox
	webhook.Cursors
	webhook.Knower
}

// A CatchUp finds the deployments of a site, or the runs of a triggered WebJob, that ended
// while nobody received Kudu's calls, and puts them into the inbox. It is a [webhook.Runner],
// for [webhook.Serve]:
//
//	deployments := kudu.NewCatchUp(client, kudu.Deployments(), source, inbox)
//	nightly := kudu.NewCatchUp(client, kudu.TriggeredJob("nightly"), source, inbox)
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), deployments, nightly)
//
// A look reads the list of /api/deployments or /api/triggeredwebjobs/{name}/history. What has
// ended since the last look and is not in the inbox, in whatever state, is put into it in the
// form of Kudu's calls, with their dedup keys and with [webhook.Delivery.Unsigned] set: a call
// and its catch-up are stored once, whichever comes first.
//
//   - It finds only what Kudu has kept, see [Client.Deployments] and [Client.JobRuns]. A
//     redeployment replaces the deployment before, and a deleted one is not listed.
//   - It also finds deployments for which Kudu calls no hook: one whose sources could not be
//     fetched, one that was interrupted, and one that a program has only recorded.
//   - A deployment or run that is in progress is not missing. Neither is a run that was
//     interrupted together with Kudu, which has no end.
//   - HostName is the first of Hosts, ProjectType and VSProjectID are missing, and the URLs of a
//     run have the host by which the Client calls the site.
//
// The delivery is as trustworthy as the connection to the site, which is more than a call of
// Kudu has: see "What a token proves" in the package comment.
//
// A CatchUp looks when Run begins, after the machine has slept, when [CatchUp.Look] or its
// [CatchUp.Observer] says so, and at an interval if Every is set. Its progress is a cursor in
// the inbox, which is set after what was missing is stored: a process that ends in between
// finds something again and skips nothing. Several processes may run a CatchUp of the same
// target: nothing runs twice, but each asks the site.
//
// What was missed arrives after newer deliveries, which may have run already. A callback for
// which the order matters must query the current state from the site.
//
// What fails is tried again and logged once, until it works or fails in another way.
//
// Set the fields before Run. The methods are safe for concurrent use.
type CatchUp struct {
	// Since is where the first run begins, by the site's clock. Zero means the time of that
	// run: what had ended then is left alone. When the inbox has a cursor, Since is not used.
	Since time.Time
	// MaxAge is how long ago something may have ended to be looked at, by the site's clock.
	// It must be shorter than the Window in which the inbox remembers dedup keys, which is 30
	// days by default; Run refuses another one if the inbox has a method DedupWindow. Zero means
	// 14 days, or half of that Window if it is shorter.
	MaxAge time.Duration
	// Every is the time between two looks. A look at a target in which nothing has changed is
	// one conditional request. Several targets are spread over it. Zero means no looks at
	// intervals; otherwise it is a minute or more.
	Every time.Duration
	// Hook is the hook for the target. Each look puts it back if it is missing or differs, as
	// [Client.Ensure] does, which is one more request that is not conditional. If its URL is
	// empty, hooks are not looked at.
	Hook Hook
	// Site is the site that the hook's URL names, see "Several sites" in the package comment.
	// If empty, the URL names none.
	Site string
	// Hosts are the names by which calls may name the site, see "Dedup key" in the package
	// comment. The first is the HostName of deployments. Add the hosts of the slots with which
	// the site is swapped: their history moves with them, and their runs would be handled
	// again. An empty first one means that Kudu's calls have no hostName, as where its
	// variable HTTP_HOST is not set. If nil, the host of the Client's site.
	Hosts []string
	// Logger gets what was found missing, and what fails. If nil, slog.Default.
	Logger *slog.Logger

	client *Client
	target Target
	source webhook.Source
	inbox  CatchUpInbox
	loop   *catchup.Loop
	status catchup.Counter[CatchUpStatus]

	// Of Run only.
	etag   string            // of the list, while nothing is missing
	open   map[mark]openCall // what was found missing
	idle   int               // rounds in a row that settled nothing of what was missing
	began  time.Time
	failed bool // a look has failed before the first run has begun
}

// A CatchUpStatus is what a [CatchUp] has done, for metrics. The numbers count since Run
// began.
type CatchUpStatus struct {
	Upto    time.Time // by the site's clock, what ended until then is in the inbox; zero if nothing has
	Looks   int       // that were completed
	Looked  time.Time // when the last of Looks had read the list, by this machine's clock; zero if there was none
	Missing int       // now
	Found   int       // that were found missing
	Stored  int       // of Found, those that the CatchUp has stored
	Settled int       // of Found, those that the inbox knows now
	Lost    int       // of Found, those that the site does not list any more, or older than MaxAge
	Hooks   int       // how often Hook was put there
	Err     error     // of the last look; nil if it worked
}

// NewCatchUp returns a CatchUp for a target. The source is that of the hook's Receiver: its
// Name, Describe and Scope make the dedup keys. The request that Scope gets has only the path
// value site and the query parameter site: if the Source has a Scope that needs more, pass a
// copy whose Scope returns the tenant. The inbox is the one into which the Receiver stores,
// or, behind a Spool, its primary one. The Receiver must store each call that it accepts: one
// that it drops is missing.
//
// NewCatchUp panics if the client or the inbox is nil.
func NewCatchUp(client *Client, target Target, source webhook.Source, inbox CatchUpInbox) *CatchUp {
	if client == nil || inbox == nil {
		panic("kudu: NewCatchUp needs a client and an inbox")
	}
	return &CatchUp{client: client, target: target, source: source, inbox: inbox, loop: catchup.NewLoop()}
}

// Look asks for a look soon, for example after the program has noticed that it could not be
// reached. It does not wait.
func (c *CatchUp) Look() { c.loop.Look() }

// Observer returns an Observer for the Receiver of the hook. It asks for a look when the
// Receiver could not store a call or answered 500 or above, since Kudu does not try again.
// Combine it with others by [webhook.MultiObserver].
func (c *CatchUp) Observer() *webhook.Observer { return catchup.Observer(c.source.Name, c.Look) }

// Status returns what the CatchUp has done.
func (c *CatchUp) Status() CatchUpStatus { return c.status.Get() }

// String returns the host of the site and the target.
func (c *CatchUp) String() string { return c.client.site.Host + " " + c.target.String() }

var _ webhook.Runner = (*CatchUp)(nil)
