package dbtest

import (
	"database/sql"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var uids atomic.Int64

// delivery returns a new delivery.
func delivery(key string, dedupKeys ...string) *webhook.Delivery {
	return &webhook.Delivery{
		UID:         fmt.Sprintf("uid%06d", uids.Add(1)),
		Source:      "alpha",
		ID:          "sender",
		Type:        "alpha.push",
		OrderingKey: key,
		DedupKeys:   dedupKeys,
		Header:      http.Header{"X-Event": {"push"}},
		Body:        []byte(`{"a":1}`),
		ReceivedAt:  time.UnixMicro(time.Now().UnixMicro()),
	}
}

// must ends the test if err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantNil fails the test if err is not nil.
func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, in webhook.Inbox, d *webhook.Delivery) *webhook.Delivery {
	t.Helper()
	must(t, in.Put(t.Context(), d))
	return d
}

func claim(t *testing.T, in webhook.Inbox, n int) []webhook.Claim {
	t.Helper()
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: n, Lease: time.Hour})
	must(t, err)
	return claims
}

func claimOne(t *testing.T, in webhook.Inbox) webhook.Claim {
	t.Helper()
	claims := claim(t, in, 1)
	if len(claims) != 1 {
		t.Fatalf("%d claims, want 1", len(claims))
	}
	return claims[0]
}

func settle(t *testing.T, in webhook.Inbox, c webhook.Claim, s webhook.State) {
	t.Helper()
	if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: s, Reason: "because"}); err != nil {
		t.Fatal(err)
	}
}

func stateOf(t *testing.T, in *sqlinbox.Inbox, uid string) webhook.State {
	t.Helper()
	r, err := in.Get(t.Context(), uid)
	must(t, err)
	return r.State
}

func run(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func count(t *testing.T, db *sql.DB, table string) int {
	t.Helper()
	var n int
	must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
