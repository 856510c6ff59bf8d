package jobserv

import (
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// CatchUpInbox is what a [CatchUp] needs of an inbox. [webhook.MemInbox] and the Inbox of
// package sqlinbox have it. What the inbox has forgotten is missing: see CatchUp.MaxAge.
type CatchUpInbox interface {
	webhook.Inbox
	webhook.Cursors
	webhook.Knower
}

// A CatchUp finds the builds of a project that were completed while nobody received the
// calls of JobServ, and puts them into the inbox. It is a [webhook.Runner], for
// [webhook.Serve]:
//
//	catchUp := jobserv.NewCatchUp(client, "acme/lmp", source, inbox)
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// A look lists the builds since the last one, newest first, and finds those that are complete
// and that the inbox does not know by their dedup key, the project, number and time of
// completion. It reads each from the API and puts it into the inbox, oldest first:
//
//   - The delivery has the body that JobServ would have sent, and the dedup keys of the call.
//     A call and its catch-up run once, whichever comes first. Its [webhook.Delivery.Unsigned]
//     is set, since no signature proves it: it is as authentic as the connection to the API.
//   - The host in its URLs is that of the first server of the Client. Name and Annotation are
//     those of now. Status is that of the completion, also if the build was promoted since.
//   - A build that is running or queued is not missing. Later looks follow it until it is
//     complete, however long that takes. So does the first run, for builds among those that
//     were completed within MaxAge.
//   - A build that was completed a moment ago is left to JobServ's own call, which has four
//     attempts within seven seconds. The next look comes 15 seconds later.
//   - A rerun of one of the newest 50 builds, or of one that was not complete, is found like
//     another build. Of several completions of a build the API knows the last one only.
//   - Builds that failed before they began and external builds are left out. JobServ makes no
//     call for them. None of their runs has been completed, or only the run "build-failure"
//     (JobServ: trigger.py, api/build.py).
//
// The API does not say for which other builds JobServ calls: set CatchUp.Notified if it does
// not call for each (JobServ: project-schema.yml, webhooks). It makes no call for a build
// whose last run was canceled in the queue either, which a CatchUp finds.
//
// A CatchUp looks when Run begins, after the machine has slept, when [CatchUp.Look] or its
// [CatchUp.Observer] says so, and at an interval if Every is set.
//
// Its progress is a cursor in the inbox: the number up to which no build is missing, and
// those below it that are not complete. It is set after all of that is stored, so that a
// process that ends in between finds something again and skips nothing. Several processes may
// run a CatchUp of the same project: nothing runs twice, but each asks JobServ.
//
// What was missed arrives after newer deliveries of the project, which may have run already.
// A callback for which the order matters must query the current state from the API.
//
// What fails is tried again and logged once, until it works or fails in another way. A rate
// limit halts a CatchUp between two requests; it goes on where it was.
//
// A build that cannot be read holds up no other, no look and no interval. It is logged once and
// tried again after one minute, and then less and less often, up to 30 minutes. When it is older
// than MaxAge it is given up, logged and counted as Lost. If the process does not know when it was
// completed, since another one found it, that is MaxAge after the first failure.
//
// A project that was removed, renamed or is not visible to the token is [ErrNotFound]. If
// one was removed and created again, its numbers begin anew, and so does the CatchUp: the
// newest number is lower than before, or a build that was settled has a later time of creation.
//
// A server that sends the first shape of [Build] must have no CatchUp: such a call has no
// dedup key. Before the first run stop the processes of the inbox whose version of this module
// is earlier than CatchUp: they store calls without that key, and run what is unsigned as if
// it were signed.
//
// Set the fields before Run. The methods are safe for concurrent use.
type CatchUp struct {
	// Since is where the first run begins, by JobServ's clock: builds that were completed
	// then or later are looked at. Zero means that those which are complete at the first look
	// are left alone. When the inbox has a cursor, Since is not used. Builds that an earlier
	// version of this module stored have no dedup key but their signature. They are
	// duplicates of their catch-up if the Source has the secret and the API's answer leads
	// to the same bytes; see [NewCatchUp].
	Since time.Time
	// MaxAge is how long ago a build may have been completed to be looked at, by JobServ's
	// clock. Older ones are left alone, and their number is logged. A build whose dedup keys the
	// inbox has forgotten would run twice. So MaxAge must be shorter than the time for which the
	// inbox remembers them, by as much as the clocks of JobServ and the inbox may differ. Run
	// returns an error if it is not shorter, where the inbox has a method DedupWindow, as MemInbox
	// and the Inbox of package sqlinbox have; otherwise the caller ensures it. Zero means 14 days,
	// or half of DedupWindow if that is shorter.
	MaxAge time.Duration
	// Every is the time between two looks. A look at a project without new builds is one
	// request for 50 builds, and one for each older build that is not complete: the API has
	// no conditional requests (JobServ: jsend.py). The first look of all has a request for each
	// 50 builds of MaxAge. Several projects are spread over Every. Zero
	// means no looks at intervals; otherwise it is a minute or more.
	Every time.Duration
	// Notified reports whether JobServ calls the receiver for a build that is complete, such
	// as one that did not pass if the project has only_failures. The Build has the status of
	// its completion, also if it was promoted since: Passed or Failed. It may have no
	// StatusEvents, RunsURL, Reason and Annotation. If nil, JobServ calls for each build.
	Notified func(Build) bool
	// Logger gets what was found missing, and what fails. If nil, slog.Default.
	Logger *slog.Logger

	client  *Client
	project string
	source  webhook.Source
	inbox   CatchUpInbox
	most    int // missing builds that a round handles
	loop    *catchup.Loop
	status  catchup.Counter[CatchUpStatus]

	// Of Run only.
	open   map[string]*openBuild  // by dedup key
	same   map[string]bool        // by dedup key, of what is listed: the inbox has it by its signature
	unread map[int64]*unreadBuild // by number, of what is open
	halted halt
	maxAge time.Duration // MaxAge or its default
	began  time.Time
}

// A CatchUpStatus is what a [CatchUp] has done, for metrics. The numbers count since Run
// began.
type CatchUpStatus struct {
	Upto    int64     // the build up to which all are in the inbox but those that are missing or running; zero before the first look
	Looks   int       // that were completed
	Looked  time.Time // when the last of Looks had listed all, by this machine's clock; zero if there was none
	Running int       // builds that were not complete at the last look, and older ones that could not be read
	Missing int       // builds that are missing now
	Found   int       // builds that were found missing
	Stored  int       // of Found, those that were read from the API and stored
	Settled int       // of Found, those that the inbox knows now
	Lost    int       // of Found, those that the API does not have any more, or that were given up
	Err     error     // of the last step; nil if it worked
}

// NewCatchUp returns a CatchUp for a project, such as "acme/lmp", of the first server of the
// client. A token of Foundries.io needs the scope ci:read
// (https://docs.foundries.io/latest/reference-manual/factory/api-access.html).
//
// The source is that of the Receiver: its Name, Describe and Scope make the dedup keys. If
// it has a Scope, the request that Scope gets has no header but Content-Type: pass a copy of
// the Source whose Scope returns the tenant. If its Verifier is an HMAC with Keys or
// KeysFunc, such as that of [Source], the dedup keys include the signature that JobServ's
// call has if it has the same bytes. The inbox is the one into which the Receiver stores, or,
// behind a Spool, its primary one. The Receiver must store each call that it accepts: one that
// it drops is missing.
//
// NewCatchUp panics if client or inbox is nil.
func NewCatchUp(client *Client, project string, source webhook.Source, inbox CatchUpInbox) *CatchUp {
	if client == nil || inbox == nil {
		panic("jobserv: NewCatchUp needs a client and an inbox")
	}
	return &CatchUp{client: client, project: project, source: source, inbox: inbox, most: maxMissing, loop: catchup.NewLoop()}
}

// Look asks for a look soon, for example after the program has noticed that it could not be
// reached. It does not wait.
func (c *CatchUp) Look() { c.loop.Look() }

// Observer returns an Observer for the Receiver of the project. It asks for a look when the
// Receiver could not store a call or answered 500 or above: JobServ tries again for seven
// seconds only. Combine it with others by [webhook.MultiObserver].
func (c *CatchUp) Observer() *webhook.Observer { return catchup.Observer(c.source.Name, c.Look) }

// Status returns what the CatchUp has done.
func (c *CatchUp) Status() CatchUpStatus { return c.status.Get() }

var _ webhook.Runner = (*CatchUp)(nil)
