// Package catchup has what the catch-ups of all senders share. It knows no sender and makes
// no request. A provider keeps its own exported CatchUp, CatchUpStatus and errors, and asks
// its sender in a func, the round:
//
//	type CatchUp struct {
//		Every  time.Duration
//		Logger *slog.Logger
//
//		loop   *catchup.Loop                  // catchup.NewLoop()
//		status catchup.Counter[CatchUpStatus]
//	}
//
//	func (c *CatchUp) Look() { c.loop.Look() }
//
//	func (c *CatchUp) Observer() *webhook.Observer {
//		return catchup.Observer(c.source.Name, c.Look)
//	}
//
//	func (c *CatchUp) Status() CatchUpStatus { return c.status.Get() }
//
//	func (c *CatchUp) Run(ctx context.Context) error {
//		return c.loop.Run(ctx, catchup.Settings{Round: c.round, Every: c.Every, ...})
//	}
//
// # What a round does
//
//  1. It reads the cursor: [Cursor.Load].
//  2. It lists what happened since, and asks the inbox which dedup keys it does not know:
//     [Known], and [Gone] for what was missing before.
//  3. It puts what is missing into the inbox, oldest first.
//  4. It saves the cursor: [Cursor.Save]. The cursor is never ahead of what was put: a
//     process that ends in between finds something again and skips nothing.
//
// A round returns when the next one is due, or an error. The [Loop] calls it when it is time
// to look, waits after an error, and logs the error once until it changes or ends.
//
// # What stays in a provider
//
// Requests and their limits, pages, the form of a position, what is missing, and how that
// gets into the inbox.
package catchup
