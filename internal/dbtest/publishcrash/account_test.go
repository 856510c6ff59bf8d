package publishcrash

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/crash"
)

const (
	one   = "1-1-1-plain" // of a writer without a key
	inTx  = "1-1-2-tx"
	back  = "1-1-3-rollback"
	rare4 = "1-1-4-plain"
	first = "1-2-1-plain" // of a writer with a key
	next  = "1-2-2-plain"
)

// play returns the account of a trial with the endpoints "plain", "ordered" and "rare", in
// steps: "published" with the name of an event, which is sent before; "begins" and "ends" with
// a name and an endpoint, for a request; "deletes" and "deleted" with an endpoint; "kill" of the
// publisher, after which another one starts; "wait" with seconds; "committed" with a name, for a
// row; or a line that the publisher prints.
func play(t *testing.T, steps ...string) Report {
	t.Helper()
	a, now := newAccount(), time.Now()
	for _, e := range []endpoint{{id: "plain"}, {id: "ordered", ordered: true}, {id: "rare", rare: true}} {
		a.create(e)
	}
	a.total.Deleted = 1
	a.lifeBegins()
	rows := make(map[string]string)
	for _, step := range steps {
		words := append(strings.Fields(step), "", "")
		r := request{at: now, name: words[1], endpoint: words[2], id: "id-of-" + words[1], life: a.life}
		switch words[0] {
		case published:
			a.read(sending + " " + words[1])
			a.read(fmt.Sprintf("%s %s id-of-%[2]s", published, words[1]))
		case "begins", "damaged", "renamed":
			if words[0] == "damaged" {
				r.fault = "it has not the bytes"
			}
			if words[0] == "renamed" {
				r.id = "another"
			}
			a.begin(r)
		case "ends":
			a.end(a.book.Entry(words[1] + "@" + words[2]))
		case "deletes":
			a.deleteBegins(words[1])
		case "deleted":
			a.deleteEnds(words[1], now)
		case "kill":
			a.killed()
			a.lifeBegins()
		case "wait":
			seconds, err := strconv.Atoi(words[1])
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Duration(seconds) * time.Second)
		case "committed":
			rows[words[1]] = "id-of-" + words[1]
		default:
			a.read(step)
		}
	}
	report := a.report(rows)
	report.Kills = 1
	return report
}

// arrives are the steps of an event that reaches the two lasting endpoints.
func arrives(name string) []string {
	var steps []string
	for _, to := range []string{" plain", " ordered"} {
		steps = append(steps, "begins "+name+to, "ends "+name+to, "settled "+name+to)
	}
	return steps
}

func TestAccountReportsWhatWasBroken(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []string
		want  string // in the error; empty means none
	}{
		{"an event reaches its endpoints", append([]string{"published " + one}, arrives(one)...), ""},
		{"an event that reaches one endpoint of two is lost", []string{"published " + one, "begins " + one + " plain", "ends " + one + " plain"}, "not arrived: " + one + "@ordered"},
		{"an event whose row is committed is lost", []string{"published " + one, "committed " + inTx}, inTx + "@plain"},
		{"a rare event reaches the third endpoint too", append([]string{"published " + rare4}, arrives(rare4)...), "not arrived: " + rare4 + "@rare"},
		{"nothing must reach a deleted endpoint", append([]string{"published " + rare4, "deletes rare"}, arrives(rare4)...), ""},
		{"an event may reach an endpoint shortly after the deletion", append([]string{"published " + rare4, "deletes rare", "deleted rare", "wait 1", "begins " + rare4 + " rare"}, arrives(rare4)...), ""},
		{"an event may not reach it later", append([]string{"published " + rare4, "deletes rare", "deleted rare", "wait 2", "begins " + rare4 + " rare"}, arrives(rare4)...), "2s after its endpoint was deleted"},
		{"what was rolled back may not arrive", append([]string{"published " + one, "sending " + back, "begins " + back + " plain"}, arrives(one)...), "has not committed"},
		{"what nobody has published may not arrive", append([]string{"published " + one, "begins 1-1-9-plain plain"}, arrives(one)...), "nobody has published"},
		{"what is in flight at a kill may be sent again", append([]string{"published " + one, "begins " + one + " plain", "ends " + one + " plain", "kill"}, arrives(one)...), ""},
		{"what is settled may not", append(append([]string{"published " + one}, arrives(one)...), "kill", "begins "+one+" plain"), "sent again after it was settled"},
		{"nor may it be settled twice", append(append([]string{"published " + one}, arrives(one)...), "settled "+one+" plain"), "settled twice"},
		{"a claim ends with its lease", append([]string{"published " + one, "claimed " + one + " plain 5 9", "kill", "claimed " + one + " plain 9 12"}, arrives(one)...), ""},
		{"and not before", append([]string{"published " + one, "claimed " + one + " plain 5 9", "kill", "claimed " + one + " plain 8 12"}, arrives(one)...), "before its lease"},
		{"a claim that is settled ends", append([]string{"published " + one, "claimed " + one + " plain 5 9", "settling " + one + " plain", "claimed " + one + " plain 8 12"}, arrives(one)...), ""},
		{"events of a key are in order", append(append([]string{"published " + first, "published " + next}, arrives(first)...), arrives(next)...), ""},
		{"or not", append(append([]string{"published " + first, "published " + next}, arrives(next)...), arrives(first)...), next + "@ordered ran before"},
		{"a changed body is found", append([]string{"published " + one, "damaged " + one + " plain"}, arrives(one)...), "not the bytes"},
		{"a changed ID is found", append([]string{"published " + one, "renamed " + one + " plain"}, arrives(one)...), "has the IDs"},
		{"a report that there is not is found", append([]string{"published " + one, "lost " + one + " plain"}, arrives(one)...), "no such report"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := play(t, test.steps...).Err()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestMoreInFlightThanConcurrencyIsFound(t *testing.T) {
	var steps []string
	for i := range concurrency + 1 {
		name := fmt.Sprintf("1-1-%d-plain", 4*i+1)
		steps = append(steps, "published "+name, "begins "+name+" plain")
	}
	if err := play(t, append(steps, "kill")...).Err(); err == nil || !strings.Contains(err.Error(), "17 requests were in flight") {
		t.Errorf("got %v, want an error that 17 were in flight", err)
	}
}

func TestAReportOfNothingIsAnError(t *testing.T) {
	for name, r := range map[string]Report{
		"no kill": {Published: 9, Deleted: 1}, "nothing published": {Kills: 9, Deleted: 1}, "nothing deleted": {Kills: 9, Published: 9},
	} {
		if err := r.Err(); !errors.Is(err, crash.ErrVacuous) {
			t.Errorf("%s: got %v, want %v", name, err, crash.ErrVacuous)
		}
	}
	if err := (Report{Kills: 1, Published: 9, Deleted: 1, SecondRuns: 3, InFlight: 2}).Err(); err == nil {
		t.Error("more second runs than were in flight are no error")
	}
}
