package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var (
	isSharedSettlement = contains("SET state = 'done'")
	isSettlement       = contains("UPDATE", "settled_fence = fence")
)

// settleMeanwhile settles the first claim, and the others while the statement for
// that one is held up, so that they gather. It returns the answers.
func settleMeanwhile(t *testing.T, in *sqlinbox.Inbox, plan *fault.Plan, first webhook.Claim, others []webhook.Claim, watch func(what string)) []error {
	t.Helper()
	stopped, goOn := make(chan struct{}), make(chan struct{})
	var stop sync.Once
	plan.Watch(func(what string) {
		if isSharedSettlement(what) {
			stop.Do(func() {
				close(stopped)
				<-goOn
			})
		}
		watch(what)
	}, nil)
	defer plan.Watch(nil, nil)
	answers := make([]error, 1+len(others))
	var answered sync.WaitGroup
	send := func(i int, c webhook.Claim) {
		ctx := &waited{Context: t.Context(), queued: make(chan struct{})}
		answered.Go(func() { _, answers[i] = in.Settle(ctx, c, webhook.Outcome{State: webhook.Done}) })
		if i > 0 {
			<-ctx.queued
		}
	}
	send(0, first)
	<-stopped
	for i, c := range others {
		send(1+i, c)
	}
	close(goOn)
	answered.Wait()
	return answers
}

// share settles a claim as a Worker does, in a transaction that may be shared.
func share(t *testing.T, in *sqlinbox.Inbox, c webhook.Claim) {
	t.Helper()
	if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
}

// claimedTogether returns claims of n deliveries, each with a younger one behind
// it, of an inbox whose statements can be watched, and connections of another.
func claimedTogether(t *testing.T, n int) (in *sqlinbox.Inbox, db *sql.DB, plan *fault.Plan, claims []webhook.Claim) {
	t.Helper()
	in, plan, _, db = watchedBeside(t)
	for i := range n {
		put(t, in, delivery(fmt.Sprint("key", i)))
		put(t, in, delivery(fmt.Sprint("key", i)))
	}
	claims = claim(t, in, n)
	if len(claims) != n {
		t.Fatalf("%d claims, want %d", len(claims), n)
	}
	return in, db, plan, claims
}

// SQLite's settlements share the transactions of its one writer.
func TestSettlementsThatComeTogetherShareATransaction(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, _, plan, claims := claimedTogether(t, 40)
	var begun atomic.Int64
	answers := settleMeanwhile(t, in, plan, claims[0], claims[1:], func(string) { begun.Add(1) })
	if err := errors.Join(answers...); err != nil {
		t.Error(err)
	}
	// Two transactions of a begin, two statements and a commit each, and what the
	// driver prepares.
	if n := begun.Load(); n > 12 {
		t.Errorf("40 settlements took %d round trips", n)
	}
	for _, c := range claims {
		if s := stateOf(t, in, c.Delivery.UID); s != webhook.Done {
			t.Errorf("%s is %s", c.Delivery.UID, s)
		}
	}
	if n := len(claim(t, in, 100)); n != 40 {
		t.Errorf("%d of the younger ones can be claimed, want 40", n)
	}
}

// Each is left out for a reason of its own: its row is another transaction's, its
// claim is lost, it was settled before, or its callback has changed its key.
func TestASettlementThatIsLeftOutHoldsUpNoOther(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, db, plan, claims := claimedTogether(t, 6)
	held, lost, done, changed := claims[1], claims[2], claims[3], claims[4]
	tx := begin(t, db)
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM hookhouse_deliveries WHERE uid = $1 FOR UPDATE", held.Delivery.UID); err != nil {
		t.Fatal(err)
	}
	lost.Fence++
	settle(t, in, done, webhook.Done)
	changed.Delivery.OrderingKey = ""
	var alone sync.Once
	answers := settleMeanwhile(t, in, plan, claims[0], []webhook.Claim{held, lost, done, changed, claims[5]}, func(what string) {
		if isSettlement(what) && !isSharedSettlement(what) {
			alone.Do(func() { // after the others
				var n int
				if err := db.QueryRow("SELECT count(*) FROM hookhouse_deliveries WHERE state = 'done'").Scan(&n); err != nil || n != 4 {
					t.Errorf("%d are done, %v; want 4", n, err)
				}
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			})
		}
	})
	for i, err := range answers {
		if i == 2 && !errors.Is(err, webhook.ErrClaimLost) || i != 2 && err != nil {
			t.Errorf("settlement %d: %v", i, err)
		}
	}
	settle(t, in, claims[2], webhook.Done)
	if n := len(claim(t, in, 100)); n != 6 {
		t.Errorf("%d of the younger ones can be claimed, want 6", n)
	}
}

// Whoever holds the next of a key, by hand, holds up the settlement of that key.
func TestAPromotionThatIsHeldHoldsUpNoOther(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, db, _, claims := claimedTogether(t, 3)
	tx := begin(t, db)
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM hookhouse_deliveries WHERE ordering_key = 'key1' AND state = 'blocked' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	var first, second sync.WaitGroup
	for i, c := range claims {
		group := &first
		if i == 1 {
			group = &second
		}
		group.Go(func() {
			if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
				t.Error(err)
			}
		})
	}
	first.Wait()
	if s := stateOf(t, in, claims[1].Delivery.UID); s != webhook.Claimed {
		t.Errorf("the one whose key is held is %s", s)
	}
	commit(t, tx)
	second.Wait()
	if n := len(claim(t, in, 100)); n != 3 {
		t.Errorf("%d of the younger ones can be claimed, want 3", n)
	}
}

func TestWhatEndsASharedSettlementEndsThatOnly(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	for name, end := range map[string]func(){"a panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			in, _, plan, claims := claimedTogether(t, 2)
			reached := beforeNth(plan, 1, isSharedSettlement, end)
			share(t, in, claims[0])
			if !reached() {
				t.Fatal("nothing ended it")
			}
			share(t, in, claims[1])
		})
	}
}

func TestASettlementWhoseContextEndsIsNotWaitedFor(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, _, plan, claims := claimedTogether(t, 2)
	stopped, goOn := make(chan struct{}), make(chan struct{})
	reached := beforeNth(plan, 1, isSharedSettlement, func() {
		close(stopped)
		<-goOn
	})
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() {
		_, err := in.Settle(ctx, claims[0], webhook.Outcome{State: webhook.Done})
		answer <- err
	}()
	<-stopped
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("Settle returned %v", err)
	}
	close(goOn)
	// Settled or not, it can be asked for again.
	for _, c := range claims {
		share(t, in, c)
	}
	if !reached() {
		t.Error("nothing was held up")
	}
}

// A trigger of the program's own refuses one: the others are not refused with it.
func TestAShareThatIsRefusedRefusesNoOther(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, db, plan, claims := claimedTogether(t, 6)
	run(t, db, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.ordering_key = 'key3' AND NEW.state = 'done' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$`)
	run(t, db, "CREATE TRIGGER refuse BEFORE UPDATE ON hookhouse_deliveries FOR EACH ROW EXECUTE FUNCTION refuse()")
	for i, err := range settleMeanwhile(t, in, plan, claims[0], claims[1:], func(string) {}) {
		if refused := err != nil && strings.Contains(err.Error(), "not this one"); refused != (claims[i].Delivery.OrderingKey == "key3") {
			t.Errorf("settlement of %s: %v", claims[i].Delivery.OrderingKey, err)
		}
	}
}

func TestAConnectionThatHangsHoldsUpNoOtherSettlement(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	in, _, plan, claims := claimedTogether(t, 2)
	hangs, goOn := make(chan struct{}), make(chan struct{})
	reached := beforeNth(plan, 1, isSharedSettlement, func() {
		close(hangs)
		<-goOn
	})
	first := make(chan struct{})
	go func() {
		defer close(first)
		if _, err := in.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Error(err)
		}
	}()
	<-hangs
	plan.Watch(nil, nil)
	share(t, in, claims[1])
	<-first
	// Close waits for the one that hangs: nothing is written after it.
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-closed:
		t.Error("Close returned while a settlement was under way")
	default:
	}
	close(goOn)
	<-closed
	if !reached() {
		t.Error("nothing hung")
	}
}
