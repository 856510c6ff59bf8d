package chain

import (
	"bytes"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
)

func TestMain(m *testing.M) { envtest.Main(m) }

func TestDiskIsMeasuredOfEachStore(t *testing.T) {
	if !envtest.Env.Has(env.PostgreSQL) || !envtest.Env.Has(env.RabbitMQ) {
		return // Has has said it
	}
	rows, err := measureDisk(t.Context(), envtest.Env, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		// The body of a push may be compressed.
		if len(r.bytes) != 1 || r.bytes[0] < 50 {
			t.Errorf("%s: %.0f bytes for a body of %d", r.backend, r.bytes, r.body)
		}
	}
	var table bytes.Buffer
	printDisk(&table, rows)
	envtest.Complete(t, table.String(), "SQLite", "PostgreSQL", "RabbitMQ")
}

func TestEveryDeliveryArrivesOnEachWay(t *testing.T) {
	if !envtest.Env.Has(env.PostgreSQL) || !envtest.Env.Has(env.RabbitMQ) {
		return // Has has said it
	}
	rows, err := measure(t.Context(), envtest.Env, 1, 100)
	if err != nil {
		t.Fatal(err) // also if one has not arrived
	}
	if len(rows) != len(ways) {
		t.Errorf("%d rows, want %d", len(rows), len(ways))
	}
	var table bytes.Buffer
	printRows(&table, rows)
	var names []string
	for _, w := range ways {
		names = append(names, w.name)
	}
	envtest.Complete(t, table.String(), append(names, "RabbitMQ to PostgreSQL by a Relay: deliveries/s")...)
}
