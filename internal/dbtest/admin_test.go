package dbtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func uids(t *testing.T, in *sqlinbox.Inbox, f sqlinbox.Filter) []string {
	t.Helper()
	var list []string
	for r, err := range in.All(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r.Delivery.UID)
	}
	return list
}

func TestAFilterChoosesRecords(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		dead := put(t, in, delivery("key"))
		c := claimOne(t, in)
		if err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Dead, Reason: "Connection refused: 100% of_them"}); err != nil {
			t.Fatal(err)
		}
		other := delivery("key")
		other.Source, other.Type, other.ID = "beta", "beta.ping", "other"
		put(t, in, other)
		late := delivery("")
		late.ReceivedAt = late.ReceivedAt.Add(time.Hour)
		put(t, in, late)
		for name, test := range map[string]struct {
			filter sqlinbox.Filter
			want   []string
		}{
			"nothing set, newest first": {sqlinbox.Filter{}, []string{late.UID, other.UID, dead.UID}},
			"uid":                       {sqlinbox.Filter{UID: other.UID}, []string{other.UID}},
			"source":                    {sqlinbox.Filter{Source: "beta"}, []string{other.UID}},
			"type":                      {sqlinbox.Filter{Type: "alpha.push"}, []string{late.UID, dead.UID}},
			"key":                       {sqlinbox.Filter{Key: "key"}, []string{other.UID, dead.UID}},
			"sender's id":               {sqlinbox.Filter{ID: "other"}, []string{other.UID}},
			"states":                    {sqlinbox.Filter{States: []webhook.State{webhook.Dead, webhook.Done}}, []string{dead.UID}},
			"text in any case":          {sqlinbox.Filter{Text: "connection REFUSED"}, []string{dead.UID}},
			"text with wildcards":       {sqlinbox.Filter{Text: "100% of_"}, []string{dead.UID}},
			"wildcards mean themselves": {sqlinbox.Filter{Text: "c%d"}, nil},
			"from":                      {sqlinbox.Filter{From: late.ReceivedAt}, []string{late.UID}},
			"to":                        {sqlinbox.Filter{To: late.ReceivedAt}, []string{other.UID, dead.UID}},
			"limit":                     {sqlinbox.Filter{Limit: 2}, []string{late.UID, other.UID}},
			"all at once":               {sqlinbox.Filter{Source: "alpha", Type: "alpha.push", Key: "key", Text: "refused", Limit: 5}, []string{dead.UID}},
		} {
			if diff := cmp.Diff(test.want, uids(t, in, test.filter)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestAllGoesThroughManyPages(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		tx := make([]string, 0, 250)
		for range 250 {
			tx = append(tx, put(t, in, delivery("hot")).UID)
		}
		got := uids(t, in, sqlinbox.Filter{})
		if len(got) != 250 || got[0] != tx[249] || got[249] != tx[0] {
			t.Fatalf("%d records", len(got))
		}
		// The last of a page leads to the next one.
		var first []string
		var f sqlinbox.Filter
		f.Limit = 120
		for r, err := range in.All(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			first, f.Before = append(first, r.Delivery.UID), r.Seq
			if len(first) == 110 {
				break
			}
		}
		if rest := uids(t, in, f); rest[0] != got[110] || len(rest) != 120 {
			t.Errorf("the next page begins at %s with %d, want %s", rest[0], len(rest), got[110])
		}
	})
}

func TestGetTellsEverything(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := put(t, in, delivery("key", "mark"))
		c := claimOne(t, in)
		r, err := in.Get(t.Context(), d.UID)
		if err != nil {
			t.Fatal(err)
		}
		if r.State != webhook.Claimed || r.Attempt != 1 || r.Fence != c.Fence || r.Size != int64(len(d.Body)) || !r.Expires.Equal(c.Expires) {
			t.Errorf("record is %+v", r)
		}
		if string(r.Delivery.Body) != string(d.Body) || r.Delivery.Header.Get("X-Event") != "push" || len(r.Delivery.Unique) != 1 {
			t.Errorf("delivery is %+v", r.Delivery)
		}
		if _, err := in.Get(t.Context(), "nobody"); !errors.Is(err, sqlinbox.ErrNotFound) {
			t.Errorf("Get of another returned %v, want ErrNotFound", err)
		}
	})
}

func TestReplayRunsWhatMatchesAgainAndRecordsIt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		var dead []string
		for i := range 120 {
			d := put(t, in, delivery(fmt.Sprint("key", i%3), fmt.Sprint("mark", i)))
			dead = append(dead, d.UID)
			settle(t, in, claimOne(t, in), webhook.Dead)
		}
		done := put(t, in, delivery("key0"))
		settle(t, in, claimOne(t, in), webhook.Done)
		if _, err := in.Replay(t.Context(), sqlinbox.Filter{}, sqlinbox.Note{}); err == nil {
			t.Error("Replay by nobody returned no error")
		}
		n, err := in.Replay(t.Context(), sqlinbox.Filter{States: []webhook.State{webhook.Dead}}, sqlinbox.Note{By: "ann", Why: "fixed"})
		if err != nil || n != 120 {
			t.Fatalf("Replay: %d, %v; want 120", n, err)
		}
		var order []string
		for len(order) < 120 {
			c := claimOne(t, in)
			if c.Attempt != 1 || c.Fence != 2 {
				t.Fatalf("attempt %d, fence %d; want 1 and 2", c.Attempt, c.Fence)
			}
			order = append(order, c.Delivery.UID)
			settle(t, in, c, webhook.Done)
		}
		if diff := cmp.Diff(dead, order); diff != "" {
			t.Errorf("not in order (-want +got):\n%s", diff)
		}
		r, err := in.Get(t.Context(), dead[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Replays) != 1 || r.Replays[0].By != "ann" || r.Replays[0].Why != "fixed" || r.Replays[0].Was != webhook.Dead || r.Replays[0].At.IsZero() {
			t.Errorf("replays are %+v", r.Replays)
		}
		// One by name, whatever final state it has; not one that is under way.
		note := sqlinbox.Note{By: "ann"}
		if n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: done.UID}, note); n != 1 || err != nil {
			t.Errorf("Replay of one: %d, %v", n, err)
		}
		if n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: done.UID}, note); n != 0 || !errors.Is(err, sqlinbox.ErrState) {
			t.Errorf("Replay of a waiting one: %d, %v; want ErrState", n, err)
		}
		if n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: "nobody"}, note); n != 0 || !errors.Is(err, sqlinbox.ErrNotFound) {
			t.Errorf("Replay of nobody: %d, %v; want ErrNotFound", n, err)
		}
	})
}

func TestReleaseMakesDueNow(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d, behind := put(t, in, delivery("key")), put(t, in, delivery("key"))
		c := claimOne(t, in)
		if err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if claims := claim(t, in, 5); len(claims) != 0 {
			t.Fatalf("%d claims before Release", len(claims))
		}
		if err := in.Release(t.Context(), d.UID); err != nil {
			t.Fatal(err)
		}
		c = claimOne(t, in)
		if err := in.Release(t.Context(), d.UID); err != nil {
			t.Fatal(err)
		}
		if err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle by the former owner returned %v, want ErrClaimLost", err)
		}
		settle(t, in, claimOne(t, in), webhook.Done)
		for uid, want := range map[string]error{d.UID: sqlinbox.ErrState, "nobody": sqlinbox.ErrNotFound} {
			if err := in.Release(t.Context(), uid); !errors.Is(err, want) {
				t.Errorf("Release of %s returned %v, want %v", uid, err, want)
			}
		}
		put(t, in, delivery("key"))
		if s := stateOf(t, in, behind.UID); s != webhook.Waiting {
			t.Errorf("the next is %s, want waiting", s)
		}
	})
}

func TestStatsCountAndNameWhatNobodyTakes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("key"))
		put(t, in, delivery("key"))
		orphan := delivery("")
		orphan.Type = "alpha.orphan"
		put(t, in, orphan)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 5, Types: []string{"alpha.push"}})
		if err != nil || len(claims) != 1 {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		run(t, db, fmt.Sprintf("UPDATE hookhouse_deliveries SET due = due - %d WHERE type = 'alpha.orphan'", 2*time.Minute/time.Microsecond))
		st, err := in.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Claimed: 1, webhook.Behind: 1, webhook.Waiting: 1}, st.Count); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if st.Types["alpha.orphan"][webhook.Waiting] != 1 || st.Types["alpha.push"][webhook.Behind] != 1 {
			t.Errorf("types are %v", st.Types)
		}
		if age := st.Oldest["alpha.orphan"]; age < 2*time.Minute {
			t.Errorf("oldest is %v, want over two minutes", age)
		}
		if diff := cmp.Diff([]string{"alpha.orphan"}, st.Untaken); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPingCommits(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		if err := in.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "hookhouse_schema WHERE pinged > 0"); n != 1 {
			t.Errorf("%d rows tell of it, want 1", n)
		}
		run(t, db, "DROP TABLE hookhouse_schema")
		if err := in.Ping(t.Context()); !errors.Is(err, sqlinbox.ErrNotMigrated) {
			t.Errorf("Ping without tables returned %v, want ErrNotMigrated", err)
		}
	})
}

func TestSweepKeepsTheMarksAndTheirFate(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for i := range 30 {
			put(t, in, delivery("", fmt.Sprint("mark", i)))
			settle(t, in, claimOne(t, in), webhook.Ignored)
		}
		kept := put(t, in, delivery(""))
		if n, err := in.Sweep(t.Context(), time.Now().Add(time.Hour), 20); n != 20 || err != nil {
			t.Fatalf("Sweep: %d, %v; want 20", n, err)
		}
		if n, err := in.Sweep(t.Context(), time.Now().Add(time.Hour), 20); n != 10 || err != nil {
			t.Fatalf("Sweep: %d, %v; want 10", n, err)
		}
		for _, table := range []string{"hookhouse_deliveries", "hookhouse_bodies"} {
			if n := count(t, db, table); n != 1 {
				t.Errorf("%s has %d rows, want 1", table, n)
			}
		}
		stateOf(t, in, kept.UID)
		var known *webhook.DuplicateError
		if err := in.Put(t.Context(), delivery("", "mark3")); !errors.As(err, &known) || known.State != webhook.Ignored {
			t.Errorf("Put returned %v, want a duplicate of one that is ignored", err)
		}
	})
}

func TestARowThatCannotBeReadIsDeadAndDoesNotStopTheRest(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		var damaged []string
		for i := range 25 {
			d := put(t, in, delivery(fmt.Sprint("key", i%4)))
			damaged = append(damaged, d.UID)
		}
		run(t, db, "UPDATE hookhouse_bodies SET envelope = '{'")
		gone := put(t, in, delivery("key1"))
		damaged = append(damaged, gone.UID)
		run(t, db, "DELETE FROM hookhouse_bodies WHERE id = (SELECT max(id) FROM hookhouse_deliveries)")
		good := put(t, in, delivery("key2"))
		claims := claim(t, in, 4) // less than there are damaged
		if len(claims) != 1 || claims[0].Delivery.UID != good.UID {
			t.Fatalf("claims are %v, want %s", claims, good.UID)
		}
		for _, uid := range damaged {
			r, err := in.Get(t.Context(), uid)
			if err != nil {
				t.Fatal(err)
			}
			if r.State != webhook.Dead || r.Attempt != 1 || !strings.Contains(r.Reason, "cannot be read") || r.Damage == nil {
				t.Errorf("%s is %s after %d attempts: %s (%v)", uid, r.State, r.Attempt, r.Reason, r.Damage)
			}
		}
	})
}

func TestSkipStaleIgnoresWhatIsOlderThanWhatIsDone(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		older := delivery("main")
		older.ReceivedAt = older.ReceivedAt.Add(-time.Minute)
		put(t, in, older)
		settle(t, in, claimOne(t, in), webhook.Dead)
		newer := put(t, in, delivery("main"))
		settle(t, in, claimOne(t, in), webhook.Done)
		var handled []string
		h := in.SkipStale(recorder{&handled})
		for _, d := range []*webhook.Delivery{older, newer, delivery("main"), delivery("")} {
			err := h.Handle(t.Context(), d)
			if stale := d == older; stale != errors.Is(err, webhook.ErrIgnored) || !stale && err != nil {
				t.Errorf("%s: %v", d.UID, err)
			}
		}
		if len(handled) != 3 {
			t.Errorf("handled %v", handled)
		}
		if diff := cmp.Diff([]string{"alpha.push"}, h.(webhook.Router).Types()); diff != "" {
			t.Error(diff)
		}
	})
}

type recorder struct{ handled *[]string }

func (r recorder) Types() []string { return []string{"alpha.push"} }

func (r recorder) Handle(_ context.Context, d *webhook.Delivery) error {
	*r.handled = append(*r.handled, d.UID)
	return nil
}

func TestAnObserverIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		told := map[string]int{}
		in.Observe = &sqlinbox.Observer{
			Stored:     func(*webhook.Delivery, time.Duration) { told["stored"]++ },
			Duplicate:  func(*webhook.Delivery, *webhook.DuplicateError) { told["duplicate"]++ },
			Superseded: func(string, *webhook.Delivery) { told["superseded"]++ },
			Refused:    func(*webhook.Delivery, error) { told["refused"]++ },
			Batch:      func(puts, bytes int, _ time.Duration, err error) { told["batch"] += puts },
			Swept:      func(n int) { told["swept"] += n },
		}
		for range 3 {
			d := delivery("key")
			d.Coalesce.Quiet = time.Hour
			put(t, in, d)
		}
		put(t, in, delivery("", "mark"))
		_ = in.Put(t.Context(), delivery("", "mark"))
		_ = in.Put(t.Context(), &webhook.Delivery{})
		if _, err := in.Sweep(t.Context(), time.Now().Add(time.Hour), 10); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"stored": 4, "duplicate": 1, "superseded": 2, "refused": 1, "batch": 5, "swept": 2}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// Workers wait for the signal: one that came with every claim would make them
// go round, and keep all others from SQLite's file.
func TestAClaimIsNoChange(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		put(t, in, delivery(""))
		settle(t, in, claimOne(t, in), webhook.Done)
		changed := in.Changed()
		if claims := claim(t, in, 1); len(claims) != 0 {
			t.Fatalf("%d claims", len(claims))
		}
		select {
		case <-changed:
			t.Error("a claim of nothing was told as a change")
		default:
		}
		put(t, in, delivery(""))
		<-changed
	})
}

func TestPendingCountsWhatIsUnfinishedUpToABound(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		pending := func(most, want int) {
			t.Helper()
			if n, err := in.Pending(t.Context(), most); err != nil || n != want {
				t.Errorf("pending %d, %v, want %d", n, err, want)
			}
		}
		pending(9, 0)
		put(t, in, delivery("key"))
		put(t, in, delivery("key")) // behind
		put(t, in, delivery(""))
		c := claimOne(t, in)
		pending(9, 3)
		pending(2, 2)
		if err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
			t.Fatal(err)
		}
		pending(9, 2)
	})
}
