package durable

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// forgetful answers 202 and loses one push.
var forgetful = impl{"forgetful", plain, env.Memory, func(ctx context.Context, at string) (*opened, error) {
	o, err := openMemory(receive.FloorVerify)(ctx, at)
	count := o.count
	o.count = func(ctx context.Context) (int, error) {
		n, err := count(ctx)
		return n - 1, err
	}
	return o, err
}}

// credulous accepts pushes with a wrong signature.
var credulous = impl{"credulous", plain, env.Memory, openMemory(receive.HarnessOnly)}

// TestMain is also the processes of servers and generators.
func TestMain(m *testing.M) {
	impls = append(impls, forgetful, credulous)
	envtest.Main(m, Commands, sender.Commands)
}

// As many pushes are stored as were answered: run itself fails otherwise.
func TestEveryImplementationStoresWhatItAnswers(t *testing.T) {
	for _, m := range impls {
		if m.name == forgetful.name || m.name == credulous.name || !envtest.Env.Has(m.backend) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			r, err := m.run(t.Context(), envtest.Env, 4, 20*time.Millisecond, "")
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests < 4 || r.Rate <= 0 || r.P99 < r.P50 {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestLostAndForgedPushesAreErrors(t *testing.T) {
	for _, tt := range []struct {
		impl impl
		want string
	}{
		{forgetful, "pushes were answered 202"},
		{credulous, "load"},
		{impl{name: "nobody", backend: env.Memory}, "did not start"},
	} {
		_, err := tt.impl.run(t.Context(), envtest.Env, 2, 10*time.Millisecond, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.impl.name, err, tt.want)
		}
	}
}

func TestTheRawLogCountsWhatItHolds(t *testing.T) {
	folder := t.TempDir()
	l, err := openRawLog(folder, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	const n = logSlots + 100 // some are overwritten
	if err := pace.Together(logGroup, n, func(i int) error { return l.put(t.Context(), fmt.Appendf(nil, "%d", i)) }); err != nil {
		t.Fatal(err)
	}
	if got, err := l.count(t.Context()); got != n || err != nil {
		t.Errorf("got %d, %v, want %d", got, err, n)
	}
	if err := l.put(t.Context(), make([]byte, 9)); err == nil {
		t.Error("stored a record that is too long")
	}
	file, err := os.OpenFile(filepath.Join(folder, "log"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(make([]byte, logHead), 500*int64(l.slot)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.count(t.Context()); err == nil {
		t.Error("counted a record that is missing")
	}
}

func TestAimsGoPassByPass(t *testing.T) {
	of := func(name string, rates ...float64) *row {
		r := &row{impl: impl{name: name}, senders: 64}
		for _, rate := range rates {
			r.add(result{server: time.Duration(1e12 / rate), Load: sender.Load{Rate: rate, P99: time.Duration(1e9 / rate)}})
		}
		return r
	}
	aims := aimsOf([]*row{of(sqliteOurs, 300, 440, 500), of(sqlitePlain, 100, 200, 250), of(rawLog, 500, 1000, 700)})
	var got []string
	for _, a := range aims {
		got = append(got, fmt.Sprintf("%.2f %s", a.Got, a.Verdict()))
	}
	want := []string{"2.20 reached", "0.60 reached", "1.67 reached", "1.67 reached"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
