package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
)

// forgetful answers 202 and loses one push: what the harness is there to see.
var forgetful = keeper{"forgetful", plain, inMemory, func(ctx context.Context, at string) (*kept, error) {
	k, err := openMemory(floorPush(nothingMore))(ctx, at)
	count := k.count
	k.count = func(ctx context.Context) (int, error) {
		n, err := count(ctx)
		return n - 1, err
	}
	return k, err
}}

// credulous takes pushes that nobody has signed.
var credulous = keeper{"credulous", plain, inMemory, openMemory(openHarness)}

var theSite *site

// TestMain is also what the test binary does when it is started as a keeper or
// a generator.
func TestMain(m *testing.M) {
	keepers = append(keepers, forgetful, credulous)
	if len(os.Args) > 1 && slices.Contains([]string{"keep", "send", "hold"}, os.Args[1]) {
		main()
		return
	}
	s, err := newSite(context.Background(), "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	theSite = s
	code := m.Run()
	s.close()
	os.Exit(code)
}

// What was answered is what is stored: runKeeper itself fails where it is not.
func TestEveryKeeperStoresWhatItAnswers(t *testing.T) {
	for _, k := range keepers {
		if k.name == forgetful.name || k.name == credulous.name || !theSite.has(k.in) {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			r, err := runKeeper(t.Context(), theSite, k, 4, 20*time.Millisecond, "")
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests < 4 || r.Rate <= 0 || r.P99 < r.P50 {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestTheHarnessSeesLostAndForgedPushes(t *testing.T) {
	for _, tt := range []struct {
		keeper keeper
		want   string
	}{
		{forgetful, "pushes were answered 202"},
		{credulous, "generator"},
		{keeper{name: "nobody", in: inMemory}, "no address"},
	} {
		_, err := runKeeper(t.Context(), theSite, tt.keeper, 2, 10*time.Millisecond, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.keeper.name, err, tt.want)
		}
	}
}

func TestEachPushIsAnotherAndSigned(t *testing.T) {
	var got []*webhook.Delivery
	h := openRaw(pushSource)(func(v any) { got = append(got, v.(*webhook.Delivery)) })
	marks := make(map[string]bool)
	one, other := newPusher(1), newPusher(255)
	for _, p := range []*pusher{one, one, other, one} {
		if status := answerTo(t, h, p.next()); status != http.StatusAccepted {
			t.Fatalf("a push was answered %d", status)
		}
	}
	for _, d := range got {
		if len(d.Body) != pushSize {
			t.Errorf("a body of %d bytes, want %d", len(d.Body), pushSize)
		}
		for _, m := range d.DedupKeys {
			marks[m] = true
		}
	}
	if len(marks) != 8 {
		t.Errorf("%d dedup keys of four pushes, want two each", len(marks))
	}
	if got[0].OrderingKey == got[2].OrderingKey || got[0].OrderingKey != got[3].OrderingKey {
		t.Errorf("keys %q, %q, %q: each pusher has a branch of its own", got[0].OrderingKey, got[2].OrderingKey, got[3].OrderingKey)
	}
	if status := answerTo(t, h, one.forged()); status != http.StatusUnauthorized {
		t.Errorf("a forged push was answered %d", status)
	}
}

func answerTo(t *testing.T, h http.Handler, request []byte) int {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	_, _ = io.Copy(io.Discard, w.Body)
	return w.Code
}

func TestTheRawLogCountsWhatItHolds(t *testing.T) {
	folder := t.TempDir()
	l, err := openRawLog(folder, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	const n = logSlots + 100 // once around and more
	if err := pace.Together(logGroup, n, func(i int) error { return l.put(t.Context(), fmt.Appendf(nil, "%d", i)) }); err != nil {
		t.Fatal(err)
	}
	if got, err := l.count(t.Context()); got != n || err != nil {
		t.Errorf("got %d, %v, want %d", got, err, n)
	}
	if err := l.put(t.Context(), make([]byte, 9)); err == nil {
		t.Error("a record that is too long was taken")
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
		t.Error("a record that is not there was counted")
	}
}

func TestKeptAimsGoPassByPass(t *testing.T) {
	row := func(name string, rates ...float64) *keepRow {
		r := &keepRow{keeper: keeper{name: name}, senders: 64}
		for _, rate := range rates {
			r.runs = append(r.runs, keepRun{load: load{Rate: rate, P99: time.Duration(1e9 / rate)}})
		}
		return r
	}
	aims := keptAims([]*keepRow{row(keepSQLite, 300, 440, 500), row(keepSQLitePlain, 100, 200, 250), row(keepLog, 500, 1000, 700)})
	var got []string
	for _, a := range aims {
		got = append(got, fmt.Sprintf("%.2f %s", a.got, a.verdict()))
	}
	want := []string{"2.20 reached", "0.60 reached", "1.67 reached"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
