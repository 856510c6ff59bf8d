package github

import (
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// CatchUpInbox is what a [CatchUp] needs of an inbox. [webhook.MemInbox] and the Inbox of
// package sqlinbox have it. Its Window must be longer than GitHub lists deliveries, which is
// three days, or seven on Enterprise Server: what the inbox has forgotten is missing. Run refuses
// one that says by a method DedupWindow that its Window is three days or less.
type CatchUpInbox interface {
	webhook.Inbox
	webhook.Cursors
	webhook.Knower
}

// A CatchUp finds the deliveries of a webhook that GitHub sent while nobody received them,
// and gets them into the inbox. It is a [webhook.Runner], for [webhook.Serve]:
//
//	catchUp := github.NewCatchUp(client, github.RepositoryHook("owner", "repo", 1), source, inbox)
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// A look lists the deliveries since the last one, and finds those whose GUID the inbox does
// not know. A GUID that it knows is settled, in whatever state its delivery is. One that it
// does not know is missing, whatever status GitHub noted, since a proxy may have answered:
//
//   - The CatchUp asks GitHub to make the call again, so that it arrives at the Receiver,
//     with its signature and under its GUID. GitHub's call and the one that it makes again
//     are stored once, whichever comes first.
//   - If ReadAPI is set, it reads the delivery from the API and puts it into the inbox, with
//     [webhook.Delivery.Unsigned] set: see there.
//   - One that is a duplicate by its signature, such as the push that the button to test a
//     hook sends again, is settled too. Its GUID never becomes known.
//
// A CatchUp looks when Run begins, after the machine has slept, when [CatchUp.Look] or its
// [CatchUp.Observer] says so, and at an interval if Every is set. While something is
// missing it looks again, after a minute and then less and less often, until the inbox knows
// it or GitHub does not list it any more, which is after three days (as
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks).
//
// Its progress is a cursor in the inbox, the time by GitHub's clock up to which nothing is
// missing. It is set after that is stored, so that a process that ends in between finds
// something again and skips nothing. Several processes may run a CatchUp of the same hook:
// nothing runs twice, but each asks GitHub.
//
// What was missed arrives after newer deliveries, which may have run already, and with
// [webhook.NewestOnly] it supersedes those that wait. A callback for which the order matters,
// such as a deployment, must query the current state from GitHub's API.
//
// What fails is tried again and logged once, until it works or fails in another way.
//
// Set the fields before Run. The methods are safe for concurrent use.
type CatchUp struct {
	// Since is where the first run begins, by GitHub's clock. Zero means the time of that
	// run: what was missed before is left alone. When the inbox has a cursor, Since is not
	// used.
	Since time.Time
	// Every is the time between two looks while nothing is missing. A look at a hook without
	// new deliveries is one conditional request, which does not count against the rate limit.
	// Several hooks are spread over it. Zero means no looks at intervals; otherwise it is a
	// minute or more.
	Every time.Duration
	// ReadAPI reads what is missing from the API instead of asking for a redelivery, for a
	// Receiver that GitHub cannot reach. The body is encoded anew there, so its bytes differ
	// from those that GitHub signed, and its signature cannot be checked: the delivery is as
	// authentic as the connection to the API. The header lacks the signatures. First stop
	// the processes of the inbox whose version of this module is earlier than ReadAPI: they
	// do not know Unsigned, and run the delivery as if it were signed.
	ReadAPI bool
	// Logger gets what was found missing, and what fails. If nil, slog.Default.
	Logger *slog.Logger

	client *Client
	hook   HookRef
	source webhook.Source
	inbox  CatchUpInbox
	most   int // missing deliveries that a round handles
	loop   *catchup.Loop
	status catchup.Counter[CatchUpStatus]

	// Of Run only.
	etag  string               // of the first page, while nothing is missing
	open  map[string]*openCall // by GUID
	same  map[string]bool      // by GUID, of what is listed: the inbox has it under another
	idle  int                  // rounds in a row that settled nothing of what was missing
	moved bool                 // it was logged that the repository has another name
	began time.Time
}

// A CatchUpStatus is what a [CatchUp] has done, for metrics. The numbers count since Run
// began.
type CatchUpStatus struct {
	Upto    time.Time // by GitHub's clock, what was sent until then is in the inbox; zero before the first look
	Looks   int       // that were completed
	Looked  time.Time // when the last of Looks had listed all, by this machine's clock; zero if there was none
	Missing int       // now
	Found   int       // GUIDs that were found missing
	Asked   int       // redeliveries that GitHub accepted
	Stored  int       // deliveries that were read from the API and stored
	Settled int       // of Found, those that the inbox knows now
	Lost    int       // of Found, those that GitHub does not list any more
	Err     error     // of the last step; nil if it worked
}

// NewCatchUp returns a CatchUp for a hook. The source is that of the hook's Receiver: its
// Name, Describe and Scope make the dedup keys. If it has a Scope, the request that Scope
// gets has only the headers of the delivery: pass a copy of the Source whose Scope returns
// the tenant. The inbox is the one into which the Receiver stores, or, behind a Spool, its
// primary one. The Receiver must store each call that it accepts: one that it drops is missing.
//
// NewCatchUp panics if an argument is nil.
func NewCatchUp(client *Client, hook HookRef, source webhook.Source, inbox CatchUpInbox) *CatchUp {
	if client == nil || inbox == nil {
		panic("github: NewCatchUp needs a client and an inbox")
	}
	return &CatchUp{client: client, hook: hook, source: source, inbox: inbox, most: maxMissing, loop: catchup.NewLoop()}
}

// Look asks for a look soon, for example after the program has noticed that it could not be
// reached. It does not wait.
func (c *CatchUp) Look() { c.loop.Look() }

// Observer returns an Observer for the Receiver of the hook. It asks for a look when the
// Receiver could not store a call or answered 500 or above, since GitHub does not try
// again. Combine it with others by [webhook.MultiObserver].
func (c *CatchUp) Observer() *webhook.Observer { return catchup.Observer(c.source.Name, c.Look) }

// Status returns what the CatchUp has done.
func (c *CatchUp) Status() CatchUpStatus { return c.status.Get() }
