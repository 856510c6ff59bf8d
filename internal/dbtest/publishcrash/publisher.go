package publishcrash

import (
	"context"
	"database/sql"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// concurrency is how many requests there are at once.
const concurrency = 16

// A publisher is the process that is killed, as its parent configures it.
type publisher struct {
	Store   engine.Store
	Variant broken.Variant
	Lease   time.Duration
	Life    int // the first process is 1
	Writers int
}

// Main is for the beginning of TestMain; see [process.Main].
func Main() {
	process.Main(func(ctx context.Context, p publisher) error { return p.run(ctx) })
}

// run publishes and sends until ctx ends.
func (p publisher) run(ctx context.Context) error {
	db, in, store, err := open(ctx, p.Store)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	defer func() { _ = in.Close() }()
	pub := newPublisher(&outbox{Inbox: in, used: p.Variant.Of(in)}, p.Variant.StoreOf(store))
	pub.UserAgent = strconv.Itoa(p.Life)
	for _, w := range pub.Workers() {
		w.Lease = p.Lease // shorter than a user's, so that what a kill has met runs again soon
	}
	group, ctx := errgroup.WithContext(ctx)
	w := &writers{publisher: pub, inbox: in, life: p.Life}
	w.start(ctx, group, p.Writers)
	group.Go(func() error { return pub.Run(ctx) })
	process.Ready("")
	return group.Wait()
}

// open opens a database with its tables.
func open(ctx context.Context, s engine.Store) (*sql.DB, *sqlinbox.Inbox, *sqlstore.Store, error) {
	db, err := s.Open()
	if err != nil {
		return nil, nil, nil, err
	}
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(10)
	in := sqlinbox.New(db, s.Dialect())
	store := sqlstore.New(in)
	store.SealKeys = []webhook.Key{{Label: "test", Secret: webhook.NewSecret("only these tests know this key of theirs")}}
	if err = in.Migrate(ctx); err == nil {
		err = store.Migrate(ctx)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS published (name TEXT PRIMARY KEY, id TEXT NOT NULL)")
	}
	if err != nil {
		_ = in.Close()
		_ = db.Close()
		return nil, nil, nil, err
	}
	return db, in, store, nil
}

// newPublisher returns a Publisher that may call this host.
func newPublisher(outbox webhook.Inbox, store publish.Store) *publish.Publisher {
	p := publish.New(outbox, store)
	p.Guard = &addrguard.Guard{InsecureHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	p.Concurrency = concurrency
	return p
}

// An outbox reports what becomes of the deliveries to endpoints.
type outbox struct {
	*sqlinbox.Inbox
	used broken.Inbox
}

func (o *outbox) Put(ctx context.Context, d *webhook.Delivery) error { return o.used.Put(ctx, d) }

func (o *outbox) Claim(ctx context.Context, options webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := o.used.Claim(ctx, options)
	for _, c := range claims {
		report(claimed, c, stamp(time.Now()), stamp(c.Expires))
	}
	return claims, err
}

func (o *outbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	return o.used.Extend(ctx, c, lease)
}

func (o *outbox) Settle(ctx context.Context, c webhook.Claim, out webhook.Outcome) (webhook.State, error) {
	report(settling, c)
	state, err := o.used.Settle(ctx, c, out)
	switch {
	case err != nil: // the claim may be lost, and ends with its lease
	case out.State.Final():
		report(settled, c)
	default:
		report(released, c)
	}
	return state, err
}

// report prints a line about a delivery to an endpoint.
func report(verb string, c webhook.Claim, words ...string) {
	if endpoint := c.Delivery.Header.Get("Publish-Endpoint"); endpoint != "" {
		process.Print(append([]string{verb, nameOf(c.Delivery.Header.Get("Content-Type")), endpoint}, words...)...)
	}
}

// stamp is a time in microseconds.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
