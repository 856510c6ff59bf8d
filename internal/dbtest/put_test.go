package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestHeadersAndBodiesOfAnyBytesComeBack(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := delivery("key \u2028 \"quoted\"", "mark", "mark")
		d.Header = http.Header{
			"Plain":      {"one", "two", ""},
			"Nul":        {"a\x00b"},
			"Not-Utf-8":  {"caf\xe9", "fine"},
			"\xff":       {"name"},
			"Escaped":    {`\u0000 <&>`, "\u2028"},
			"No-Values":  {},
			"Nil-Values": nil,
		}
		d.Body = []byte("\x00\xff\xfe body \x00")
		d.KeyLabel, d.Coalesce = "blue", webhook.Coalesce{Quiet: time.Nanosecond, Max: time.Second}
		put(t, in, d)
		var got *webhook.Delivery
		for got == nil {
			for _, c := range claim(t, in, 1) {
				got = c.Delivery
			}
		}
		want := *d
		want.Coalesce.Quiet = time.Microsecond // times are kept in microseconds, rounded up
		if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(webhook.Delivery{})); diff != "" {
			t.Errorf("delivery changed (-put +claimed):\n%s", diff)
		}
	})
}

func TestWhatNoColumnTakesIsRefusedWhole(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for name, spoil := range map[string]func(d *webhook.Delivery){
			"no UID":             func(d *webhook.Delivery) { d.UID = "" },
			"a NUL in the Key":   func(d *webhook.Delivery) { d.Key = "a\x00b" },
			"a Type not UTF-8":   func(d *webhook.Delivery) { d.Type = "\xff" },
			"a long ID":          func(d *webhook.Delivery) { d.ID = strings.Repeat("x", 256) },
			"a long mark":        func(d *webhook.Delivery) { d.Unique = []string{"fine", strings.Repeat("x", 256)} },
			"a long Source":      func(d *webhook.Delivery) { d.Source = strings.Repeat("x", 256) },
			"a NUL in KeyLabel":  func(d *webhook.Delivery) { d.KeyLabel = "\x00" },
			"a mark with a NUL":  func(d *webhook.Delivery) { d.Unique = []string{"\x00"} },
			"a body of 257 MiB ": func(d *webhook.Delivery) { d.Body = make([]byte, 257<<20) },
		} {
			d := delivery("", "mark "+name)
			spoil(d)
			if err := in.Put(t.Context(), d); !errors.Is(err, sqlinbox.ErrInvalid) {
				t.Errorf("%s: Put returned %v, want ErrInvalid", name, err)
			}
		}
		for _, table := range []string{"hookhouse_deliveries", "hookhouse_bodies", "hookhouse_marks"} {
			if n := count(t, db, table); n != 0 {
				t.Errorf("%s has %d rows, want none", table, n)
			}
		}
		put(t, in, delivery(strings.Repeat("k", 255), strings.Repeat("m", 255)))
	})
}

// A refused row is simulated by a trigger, since no valid delivery is one.
func TestOneBadRowDoesNotFailItsNeighbours(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		if e.dialect == sqlinbox.SQLite {
			run(t, db, `CREATE TRIGGER bad BEFORE INSERT ON hookhouse_deliveries WHEN NEW.type = 'alpha.bad' BEGIN SELECT RAISE(ABORT, 'bad row'); END`)
		} else {
			run(t, db, `ALTER TABLE hookhouse_deliveries ADD CONSTRAINT bad CHECK (type <> 'alpha.bad')`)
		}
		var mu sync.Mutex
		largest := 0
		in.Observe = &sqlinbox.Observer{Batch: func(puts, _ int, _ time.Duration, _ error) {
			mu.Lock()
			defer mu.Unlock()
			largest = max(largest, puts)
		}}
		const senders = 60
		errs := make([]error, senders)
		var all sync.WaitGroup
		for i := range senders {
			d := delivery(fmt.Sprint("key", i%7), fmt.Sprint("mark", i))
			if i%10 == 3 {
				d.Type = "alpha.bad"
			}
			all.Go(func() { errs[i] = in.Put(t.Context(), d) })
		}
		all.Wait()
		for i, err := range errs {
			if bad := i%10 == 3; bad != (err != nil) {
				t.Errorf("put %d: %v", i, err)
			}
		}
		if n := count(t, db, "hookhouse_deliveries"); n != senders*9/10 {
			t.Errorf("%d stored, want %d", n, senders*9/10)
		}
		if n := count(t, db, "hookhouse_marks"); n != senders*9/10 {
			t.Errorf("%d marks, want %d", n, senders*9/10)
		}
		if largest < 2 {
			t.Errorf("the largest batch was %d: nothing was shared", largest)
		}
	})
}

func TestACancelledPutAnswersAndIsStoredWholeOrNot(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("")) // the writer is ready
		// Another holds the database, so that the batch cannot commit.
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		hold := "BEGIN IMMEDIATE"
		if e.dialect == sqlinbox.PostgreSQL {
			hold = "BEGIN; LOCK TABLE hookhouse_deliveries IN ACCESS EXCLUSIVE MODE"
		}
		if _, err := conn.ExecContext(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		const senders = 10
		uids := make([]string, senders)
		errs := make(chan error, senders)
		for i := range senders {
			d := delivery("key", fmt.Sprint("mark", i))
			uids[i] = d.UID
			go func() { errs <- in.Put(ctx, d) }()
		}
		cancel()
		for range senders {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Errorf("Put returned %v, want context.Canceled", err)
			}
		}
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		put(t, in, delivery("")) // comes after whatever had been taken
		stored := 0
		for _, uid := range uids {
			switch r, err := in.Get(t.Context(), uid); {
			case errors.Is(err, sqlinbox.ErrNotFound):
			case err != nil:
				t.Fatal(err)
			case r.Damage != nil:
				t.Errorf("%s: %v", uid, r.Damage)
			default:
				stored++
			}
		}
		for table, want := range map[string]int{"hookhouse_deliveries": 2 + stored, "hookhouse_bodies": 2 + stored, "hookhouse_marks": stored} {
			if n := count(t, db, table); n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
	})
}

func TestTwoInboxesOnOneDatabaseAgree(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, db := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		inboxes := []*sqlinbox.Inbox{a, b}
		// The same 40 deliveries through both, over few keys, each with a mark.
		var all sync.WaitGroup
		var mu sync.Mutex
		outcomes := map[string]int{}
		for i := range 80 {
			d := delivery(fmt.Sprint("key", i%5), fmt.Sprint("mark", i/2))
			all.Go(func() {
				err := inboxes[i%2].Put(t.Context(), d)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					outcomes["stored"]++
				case errors.Is(err, webhook.ErrDuplicate):
					outcomes["duplicate"]++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if diff := cmp.Diff(map[string]int{"stored": 40, "duplicate": 40}, outcomes); diff != "" {
			t.Error(diff)
		}
		// Work them off through both: never two of a key at once, in order.
		handled := map[string]int64{}
		for total := 0; total < 40; {
			for _, in := range inboxes {
				for _, c := range claim(t, in, 3) {
					r, err := in.Get(t.Context(), c.Delivery.UID)
					if err != nil {
						t.Fatal(err)
					}
					if r.Seq <= handled[c.Delivery.Key] {
						t.Errorf("%s out of order", c.Delivery.UID)
					}
					handled[c.Delivery.Key] = r.Seq
					settle(t, inboxes[total%2], c, webhook.Done)
					total++
				}
			}
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state = 'done'"); n != 40 {
			t.Errorf("%d done, want 40", n)
		}
	})
}

func TestFiftyAtOnceRunOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, db := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		var all sync.WaitGroup
		errs := make([]error, 50)
		for i := range errs {
			d := delivery("key", "mac:same", fmt.Sprint("id:", i))
			all.Go(func() { errs[i] = []*sqlinbox.Inbox{a, b}[i%2].Put(t.Context(), d) })
		}
		all.Wait()
		stored := 0
		for _, err := range errs {
			if err == nil {
				stored++
			} else if !errors.Is(err, webhook.ErrDuplicate) {
				t.Error(err)
			}
		}
		if stored != 1 {
			t.Errorf("%d stored, want 1", stored)
		}
		if n := count(t, db, "hookhouse_marks"); n != 2 {
			t.Errorf("%d marks, want 2", n)
		}
	})
}

func TestABurstAtOnceLeavesOne(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, db := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		var all sync.WaitGroup
		errs := make([]error, 40)
		for i := range errs {
			d := delivery("image:tag")
			d.Coalesce = webhook.Coalesce{Quiet: time.Hour}
			all.Go(func() { errs[i] = []*sqlinbox.Inbox{a, b}[i%2].Put(t.Context(), d) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state = 'waiting'"); n != 1 {
			t.Errorf("%d waiting, want 1", n)
		}
		if n := count(t, db, "hookhouse_deliveries WHERE state = 'superseded'"); n != 39 {
			t.Errorf("%d superseded, want 39", n)
		}
	})
}

func TestAMarkIsForgottenAfterTheWindow(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d := put(t, in, delivery("", "mark"))
		run(t, db, fmt.Sprintf("UPDATE hookhouse_marks SET at = at - %d", 31*24*time.Hour/time.Microsecond))
		again := put(t, in, delivery("", "mark"))
		var known *webhook.DuplicateError
		if err := in.Put(t.Context(), delivery("", "mark")); !errors.As(err, &known) || known.UID != again.UID {
			t.Errorf("Put returned %v, want a duplicate of %s, not %s", err, again.UID, d.UID)
		}
		run(t, db, fmt.Sprintf("UPDATE hookhouse_marks SET at = at - %d", 31*24*time.Hour/time.Microsecond))
		if _, err := in.Sweep(t.Context(), time.Time{}, 10); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "hookhouse_marks"); n != 0 {
			t.Errorf("%d marks after Sweep, want none", n)
		}
	})
}

func TestAClosedInboxRefuses(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		put(t, in, delivery(""))
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		if err := in.Put(t.Context(), delivery("")); !errors.Is(err, sqlinbox.ErrClosed) {
			t.Errorf("Put returned %v, want ErrClosed", err)
		}
	})
}

// A callback that keeps its transaction open holds its Key, and nothing else.
func TestAKeyHeldForLongFailsNoOther(t *testing.T) {
	if theServer == nil {
		return // SQLite has one writer: who holds it holds all
	}
	in, db := onPostgres(theServer).open(t)
	put(t, in, delivery("held"))
	tx := begin(t, db)
	if err := in.SettleTx(t.Context(), tx, claimOne(t, in), webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var held, others [6]error
	for i := range held {
		d, o := delivery("held"), delivery(fmt.Sprint("key", i))
		all.Go(func() { held[i] = in.Put(t.Context(), d) })
		all.Go(func() { others[i] = in.Put(t.Context(), o) })
	}
	all.Wait()
	if err := errors.Join(others[:]...); err != nil {
		t.Errorf("another key: %v", err)
	}
	for _, err := range held {
		if err == nil {
			t.Error("a Put under the held key returned before the transaction ended")
		}
	}
	commit(t, tx)
	put(t, in, delivery("held"))
}

func TestADuplicateDoesNotPassAHeadThatYields(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		head := put(t, in, delivery("key", "mark"))
		yield := webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, Yield: true}
		if err := in.Settle(t.Context(), claimOne(t, in), yield); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 40 {
			d := delivery("key", "mark")
			if i%2 == 0 {
				d = delivery(fmt.Sprint("key", i))
			}
			all.Go(func() {
				if err := in.Put(t.Context(), d); err != nil && !errors.Is(err, webhook.ErrDuplicate) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if s := stateOf(t, in, head.UID); s != webhook.Waiting {
			t.Errorf("the head is %s, want waiting", s)
		}
		next := put(t, in, delivery("key"))
		if s := stateOf(t, in, next.UID); s != webhook.Waiting {
			t.Errorf("the next is %s, want waiting", s)
		}
		if s := stateOf(t, in, head.UID); s != webhook.Behind {
			t.Errorf("the head is %s now, want behind", s)
		}
	})
}

// On PostgreSQL most of a batch may be committed before the rest is looked at:
// what is stored is answered so, whatever happens to the rest.
func TestWhatIsStoredIsNoDuplicateOfItself(t *testing.T) {
	if theServer == nil {
		return // SQLite commits a batch as a whole
	}
	in, db := onPostgres(theServer).open(t)
	dead := put(t, in, delivery("held", "mark"))
	settle(t, in, claimOne(t, in), webhook.Dead)
	put(t, in, delivery("held"))
	tx := begin(t, db) // holds the key that the revival needs
	if err := in.SettleTx(t.Context(), tx, claimOne(t, in), webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var revival error
	var others [20]error
	for i := range others {
		o := delivery(fmt.Sprint("key", i), fmt.Sprint("mark", i))
		all.Go(func() { others[i] = in.Put(t.Context(), o) })
		if i == 5 {
			again := delivery("held", "mark")
			all.Go(func() { revival = in.Put(t.Context(), again) })
		}
	}
	all.Wait()
	if err := errors.Join(others[:]...); err != nil {
		t.Errorf("another delivery: %v", err)
	}
	if revival == nil || errors.Is(revival, webhook.ErrDuplicate) {
		t.Errorf("the revival returned %v, want that the key is held", revival)
	}
	commit(t, tx)
	var known *webhook.DuplicateError
	if err := in.Put(t.Context(), delivery("held", "mark")); !errors.As(err, &known) || !known.Revived || known.UID != dead.UID {
		t.Errorf("the revival returned %v afterwards", err)
	}
}
