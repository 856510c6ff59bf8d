package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// microseconds is d as the tables have it.
func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// A countingSweeps tells of each Sweep that has ended.
type countingSweeps struct {
	*sqlinbox.Inbox
	swept chan<- struct{}
}

func (c *countingSweeps) Sweep(ctx context.Context) (int, error) {
	n, err := c.Inbox.Sweep(ctx)
	select {
	case c.swept <- struct{}{}:
	default:
	}
	return n, err
}

func TestAClaimIsBoundedByBytes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		for n := range 6 {
			d := delivery(fmt.Sprint("key", n))
			d.Body = make([]byte, 1<<20)
			put(t, in, d)
		}
		for _, test := range []struct {
			bytes int64
			want  int
		}{{1, 1}, {2 << 20, 2}, {0, 3}} {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 10, Lease: time.Hour, MaxBytes: test.bytes})
			if len(claims) != test.want || err != nil {
				t.Errorf("%d claims within %d bytes, want %d; %v", len(claims), test.bytes, test.want, err)
			}
		}
	})
}

// More than one statement claims is asked for: the second one takes no body that
// does not fit either.
func TestAClaimOfManyIsBoundedByBytes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		var storing sync.WaitGroup
		for range 256 {
			storing.Go(func() {
				if err := in.Put(t.Context(), delivery("")); err != nil {
					t.Error(err)
				}
			})
		}
		storing.Wait()
		large := delivery("")
		large.Body = make([]byte, 2<<20)
		put(t, in, large)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 300, Lease: time.Hour, MaxBytes: 1 << 20})
		if len(claims) != 256 || err != nil {
			t.Errorf("%d claims, %v; want the 256 that fit", len(claims), err)
		}
		if c := claimOne(t, in); c.Delivery.UID != large.UID {
			t.Errorf("claimed %s then, want the large one", c.Delivery.UID)
		}
	})
}

func TestWhatIsExceptedIsNotClaimed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		first, second := put(t, in, delivery("one")), put(t, in, delivery("two"))
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 5, Lease: time.Hour, Except: []string{first.UID, "nobody"}})
		if err != nil || len(claims) != 1 || claims[0].Delivery.UID != second.UID {
			t.Errorf("%d claims, %v; want the second one", len(claims), err)
		}
	})
}

// loseLease lets the lease of what is claimed run out.
func loseLease(t *testing.T, db *sql.DB) {
	t.Helper()
	run(t, db, "UPDATE hookhouse_deliveries SET lease_expires_at = 1 WHERE state = 'claimed'")
}

// What was lost twice comes without its body, which may be what nobody could
// receive in time; Begin brings it, and only then is the attempt counted.
func TestASuspectComesWithoutItsBodyAndIsCountedWhenItBegins(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d := delivery("key", "mark")
		put(t, in, d)
		lose := func() { loseLease(t, db) }
		for attempt := 1; attempt <= 2; attempt++ {
			c := claimOne(t, in)
			if c.Suspect || c.Attempt != attempt || string(c.Delivery.Body) != string(d.Body) {
				t.Fatalf("claim %d: attempt %d, suspect %t, body %q", attempt, c.Attempt, c.Suspect, c.Delivery.Body)
			}
			lose()
		}
		for range 3 { // claimed and not begun: not counted
			c := claimOne(t, in)
			if !c.Suspect || c.Attempt != 3 || c.Crashes != 0 || c.Delivery.Body != nil || c.Delivery.Header != nil || c.Delivery.DedupKeys != nil {
				t.Fatalf("attempt %d, suspect %t, %d crashes, %+v", c.Attempt, c.Suspect, c.Crashes, c.Delivery)
			}
			lose()
		}
		c := claimOne(t, in)
		for range 2 { // asked twice, since the first answer may get lost
			begun, err := in.Begin(t.Context(), c)
			if err != nil || begun.Attempt != 3 || string(begun.Delivery.Body) != string(d.Body) || len(begun.Delivery.DedupKeys) != 1 || begun.Delivery.Header.Get("X-Event") != "push" {
				t.Fatalf("Begin: attempt %d, %+v, %v", begun.Attempt, begun.Delivery, err)
			}
		}
		lose()
		last := claimOne(t, in)
		if !last.Suspect || last.Attempt != 4 || last.Crashes != 1 {
			t.Errorf("after a run that ended without a word: attempt %d, suspect %t, %d crashes", last.Attempt, last.Suspect, last.Crashes)
		}
		if _, err := in.Begin(t.Context(), c); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin of the claim before returned %v, want ErrClaimLost", err)
		}
		// Given back before it began, it is as suspect as before.
		if _, err := in.Settle(t.Context(), last, webhook.Outcome{State: webhook.Waiting, Uncounted: true}); err != nil {
			t.Fatal(err)
		}
		if c = claimOne(t, in); !c.Suspect || c.Attempt != 4 || c.Crashes != 1 {
			t.Errorf("after it was given back: attempt %d, suspect %t, %d crashes", c.Attempt, c.Suspect, c.Crashes)
		}
		// One that says how it ended is like any other.
		if _, err := in.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Reason: "not yet"}); err != nil {
			t.Fatal(err)
		}
		if c = claimOne(t, in); c.Suspect || c.Attempt != 5 || c.Crashes != 0 || c.Reason != "not yet" {
			t.Errorf("after it said how it ended: attempt %d, suspect %t, %d crashes, reason %q", c.Attempt, c.Suspect, c.Crashes, c.Reason)
		}
	})
}

func TestListingBodiesIsBoundedByBytes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		sizes := []int{3 << 20, 3 << 20, 1, 9 << 20, 2 << 20, 0}
		for _, size := range sizes {
			d := delivery("")
			d.Body = make([]byte, size)
			put(t, in, d)
		}
		at := len(sizes)
		for r, err := range in.All(t.Context(), webhook.Filter{Bodies: true}) {
			if at--; err != nil || r.Err != nil || len(r.Delivery.Body) != sizes[at] || len(r.Delivery.Header) != 1 {
				t.Fatalf("record %d: %v, %v, %d bytes", at, err, r.Err, len(r.Delivery.Body))
			}
		}
		if at != 0 {
			t.Errorf("%d records are missing", at)
		}
	})
}

// A dead lease keeps a key just as a delivery that waits does.
func TestATypeThatNobodyTakesIsToldAlsoWhereItIsClaimed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		gone, db := e.reopen(t, driver, dsn)
		for _, typ := range []string{"alpha.old", "alpha.new"} {
			d := delivery("")
			d.Type = typ
			put(t, gone, d)
		}
		if len(claim(t, gone, 5)) != 2 {
			t.Fatal("not claimed")
		}
		run(t, db, "UPDATE hookhouse_deliveries SET lease_expires_at = lease_expires_at - "+microseconds(2*time.Hour))
		in, _ := e.reopen(t, driver, dsn)
		if _, err := in.Claim(t.Context(), webhook.ClaimOptions{Types: []string{"alpha.new"}}); err != nil {
			t.Fatal(err)
		}
		types, err := in.Unhandled(t.Context())
		if err != nil || fmt.Sprint(types) != "[alpha.old]" {
			t.Errorf("Unhandled: %v, %v; want alpha.old", types, err)
		}
		st, err := in.Stats(t.Context())
		if err != nil || fmt.Sprint(st.Unhandled) != "[alpha.old]" || st.Oldest["alpha.old"] < 30*time.Minute {
			t.Errorf("Stats: %v, %v, %v", st.Unhandled, st.Oldest, err)
		}
	})
}

// What came of a claim can be asked again, since the first answer may get lost.
func TestSettlingAgainTellsWhatCameOfIt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		burst := func() *webhook.Delivery {
			d := delivery("burst")
			d.Coalesce.Quiet = time.Microsecond
			return put(t, in, d)
		}
		burst()
		var c webhook.Claim
		waitFor(t, "the quiet time is over", func() bool {
			for _, c = range claim(t, in, 1) {
				return true
			}
			return false
		})
		burst() // comes while the first one runs
		for range 2 {
			if s, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting}); s != webhook.Superseded || err != nil {
				t.Errorf("Settle: %s, %v; want superseded", s, err)
			}
		}
		put(t, in, delivery("key"))
		waitFor(t, "the lone one is claimed", func() bool {
			for _, c = range claim(t, in, 5) {
				if c.Delivery.OrderingKey == "key" {
					return true
				}
			}
			return false
		})
		for range 2 {
			if s, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}); s != webhook.Waiting || err != nil {
				t.Errorf("Settle: %s, %v; want waiting", s, err)
			}
		}
		if s, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); s != webhook.Waiting || err != nil {
			t.Errorf("Settle otherwise: %s, %v; want what came of it before", s, err)
		}
	})
}
