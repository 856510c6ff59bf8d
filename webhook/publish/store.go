package publish

import (
	"context"
	"iter"
	"time"
)

// A Store has the endpoints and the attempts to reach them. Its methods are safe for
// concurrent use by many processes. Package storetest has the contract as tests, one for
// each sentence.
//
// Times are kept to the microsecond. Memory that a caller passes to a Store or gets from it
// is the caller's own: neither changes what the other has.
type Store interface {
	// Create stores a new endpoint and returns it as it is stored, with its Seq.
	//
	//   - When it has returned, the endpoint is committed, and Match finds it.
	//   - Seq and Last of e are ignored.
	//   - The error is [ErrEndpoint] if [Endpoint.Validate] refuses e.
	//   - The error is [ErrExists] if an endpoint has its ID, or if one of the same owner
	//     has its name, in any case. Endpoints without a name, and those of other owners,
	//     do not conflict. Of two that are created at once, one succeeds.
	//   - After an error nothing of e is stored, unless ctx has ended or the database has
	//     not answered, and then it is stored whole or not at all.
	Create(ctx context.Context, e *Endpoint) (*Endpoint, error)
	// Get returns an endpoint, with its last attempt. The error is [ErrNotFound] if there
	// is none with that ID.
	Get(ctx context.Context, id string) (*Endpoint, error)
	// Update calls change with an endpoint, stores what it has become and returns that.
	//
	//   - It is atomic: if the endpoint was changed in the meantime, by Update or by Record,
	//     nothing is stored, and change is called again with the endpoint as it is now.
	//     This goes on until ctx ends. So change may run more than once, and must do no
	//     more than change its argument.
	//   - Nothing is locked while change runs. It may be slow, and may use the Store.
	//   - When Update has returned, the change is committed, and Match goes by it.
	//   - If change returns an error, nothing is stored and Update returns that error.
	//   - The error is [ErrNotFound] if there is no endpoint with that ID, also if it is
	//     deleted while change runs.
	//   - The error is [ErrEndpoint] if Validate refuses the result, or if its ID, its Owner
	//     or its Created is another than before. What change does to Seq and Last is ignored.
	//   - The error is [ErrExists] if another endpoint of the owner has the new name.
	Update(ctx context.Context, id string, change func(e *Endpoint) error) (*Endpoint, error)
	// Delete deletes an endpoint. Match does not find it any more, its name is free, and its
	// attempts remain. The error is [ErrNotFound] if there is none with that ID.
	Delete(ctx context.Context, id string) error
	// All returns the endpoints that match f, in the order of their creation: Seq increases.
	// It holds no lock and no connection while the caller handles an Endpoint. It may or may
	// not return endpoints that are created or changed in the meantime. It ends after the
	// first error.
	All(ctx context.Context, f Filter) iter.Seq2[*Endpoint, error]
	// Match returns the endpoints of an owner that receive events of a type, in the order of
	// their creation.
	//
	//   - An endpoint matches if one of its Events is one of the [Patterns] of the type, and
	//     it is in the result once.
	//   - Active and paused endpoints match; disabled ones do not.
	//   - The error is [ErrEvent] if [ValidateType] refuses the type.
	//   - The cost does not grow with the number of endpoints that do not match.
	Match(ctx context.Context, owner, typ string) ([]Target, error)
	// Record stores an attempt, and begins or ends the failing of its endpoint.
	//
	//   - When it has returned, the attempt is committed. Attempts that are recorded at the
	//     same time are committed together.
	//   - Seq of a is ignored. Attempts get a higher Seq than those whose Record has
	//     returned before.
	//   - If a is [Failed] and the endpoint is not failing, its FailingSince becomes a.At, and
	//     began is true. Of different attempts that are recorded at once, began is true of one.
	//   - If a is [Delivered], the endpoint is not failing any more.
	//   - Other attempts do not change the endpoint, and no attempt changes its State.
	//   - An attempt of an endpoint that does not exist, such as a deleted one, is stored.
	//   - The same attempt can be recorded again, because the answer of Record was lost, and
	//     is then stored twice. It is the same if Endpoint, UID, Number, At and Result are.
	//     It neither begins nor ends a failing again. While the failing lasts that it began,
	//     began is true again, so that a caller who got an error knows it after all.
	//   - A Reason and a Response that are too long are cut, and bytes of them that are not
	//     text are replaced.
	//   - The error is [ErrAttempt] if [Attempt.Validate] refuses a, or the database refuses
	//     what it has. Attempts that are recorded at the same time are stored all the same.
	//   - If ctx ends, the attempt may or may not be stored.
	Record(ctx context.Context, a Attempt) (began bool, err error)
	// Attempts returns the attempts that match f, newest first: Seq decreases. It holds no
	// lock and no connection while the caller handles an Attempt. It may or may not return
	// attempts that are recorded or swept in the meantime. It ends after the first error.
	Attempts(ctx context.Context, f AttemptFilter) iter.Seq2[Attempt, error]
	// Sweep deletes attempts that began before the given time, oldest first, and returns
	// their number.
	//
	//   - It deletes up to limit of them; zero means 1000. If it has deleted as many as that,
	//     there may be more.
	//   - The last attempt of an endpoint that exists is kept, however old it is.
	//   - The attempts of deleted endpoints are deleted as all others.
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}
