package crash

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const lease = 3

// play returns the account of a trial in steps: "send a", "202 a", "kill" of the
// receiver, "outage" of its database, "lease" for the time that one takes, or a
// line that the receiver prints. An id such as k/2 is the second of key k.
func play(steps ...string) *account {
	a, now := newAccount(), 0
	for _, step := range steps {
		verb, id, _ := strings.Cut(step, " ")
		switch verb {
		case "send":
			key, _, keyed := strings.Cut(id, "/")
			if !keyed {
				key = ""
			}
			a.send(id, key)
		case "202":
			a.acknowledge(id, false)
		case "kill":
			a.excuseClaims()
			a.endRuns()
		case "outage":
			a.excuseClaims()
		case "lease":
			now += lease
		case begun:
			a.read(fmt.Sprint(step, " ", now, " ", now+lease))
		default:
			a.read(step)
		}
	}
	return a
}

func TestAccountReportsWhatWasBroken(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []string
		want  string // in the error; empty means none
	}{
		{"an acknowledged delivery that was handled is kept",
			[]string{"send a", "202 a", "begun a", "handled a", "settled a"}, ""},
		{"a delivery handled before its answer was read is kept",
			[]string{"send a", "begun a", "handled a", "202 a", "kill"}, ""},
		{"an acknowledged delivery that never began is lost",
			[]string{"send a", "202 a"}, "never handled: a"},
		{"an acknowledged delivery that only began is lost",
			[]string{"send a", "202 a", "begun a", "kill"}, "never handled: a"},
		{"a failed run does not handle a delivery",
			[]string{"send a", "202 a", "begun a", "failed a"}, "never handled: a"},
		{"a delivery that runs at a kill may run again",
			[]string{"send a", "202 a", "begun a", "kill", "lease", "begun a", "handled a"}, ""},
		{"a delivery handled and not settled at a kill may run again",
			[]string{"send a", "202 a", "begun a", "handled a", "kill", "lease", "begun a", "handled a"}, ""},
		{"a delivery claimed when its database ends may run again",
			[]string{"send a", "202 a", "begun a", "handled a", "outage", "released a", "lease", "begun a", "handled a"}, ""},
		{"two kills excuse two second runs",
			[]string{"send a", "202 a", "begun a", "kill", "lease", "begun a", "kill", "lease", "begun a", "handled a"}, ""},
		{"an unsettled delivery may run again when its lease has run out",
			[]string{"send a", "202 a", "begun a", "lease", "begun a", "handled a", "released a", "handled a", "settled a"}, ""},
		{"a delivery under a lease may not run again",
			[]string{"send a", "202 a", "begun a", "handled a", "begun a"}, "a ran again before"},
		{"a delivery under a lease may not run again after a kill",
			[]string{"send a", "202 a", "begun a", "handled a", "kill", "begun a"}, "a ran again before"},
		{"a settled delivery may not run again",
			[]string{"send a", "202 a", "begun a", "handled a", "settled a", "lease", "begun a"}, "a ran again after"},
		{"a settled delivery may not run again after a kill",
			[]string{"send a", "202 a", "begun a", "handled a", "settled a", "kill", "lease", "begun a"}, "a ran again after"},
		{"a delivery settled after its database ended may not run again",
			[]string{"send a", "202 a", "begun a", "handled a", "outage", "settled a", "lease", "begun a"}, "a ran again after"},
		{"an unacknowledged delivery may run or not",
			[]string{"send a", "send b", "begun a", "handled a", "send c", "202 c", "begun c", "handled c"}, ""},
		{"a delivery that was not sent may not run",
			[]string{"send a", "202 a", "begun a", "handled a", "begun b"}, "nothing of that id was sent"},
		{"a changed body is found",
			[]string{"send a", "202 a", "begun a", "damaged a"}, "not the bytes"},
		{"a delivery waits for an earlier one of its key",
			[]string{"send k/1", "202 k/1", "send k/2", "202 k/2", "begun k/2"}, "k/2 ran before k/1"},
		{"a delivery waits for an earlier one of its key that was killed",
			[]string{"send k/1", "202 k/1", "begun k/1", "kill", "send k/2", "202 k/2", "begun k/2"}, "k/2 ran before k/1"},
		{"a delivery waits for an earlier one of its key that still runs",
			[]string{"send k/1", "202 k/1", "send k/2", "begun k/1", "begun k/2", "handled k/1"}, "k/2 ran before k/1"},
		{"a late end of a run that lost its claim does not change the order",
			[]string{"send k/1", "202 k/1", "send k/2", "begun k/1", "lease", "begun k/1", "handled k/1", "settled k/1", "begun k/2", "handled k/1"}, ""},
		{"deliveries of a key that run one after the other are in order",
			[]string{"send k/1", "202 k/1", "send k/2", "begun k/1", "handled k/1", "begun k/2", "202 k/2", "handled k/2"}, ""},
		{"an unacknowledged delivery does not block its key",
			[]string{"send k/1", "send k/2", "202 k/2", "begun k/2", "handled k/2", "begun k/1", "handled k/1"}, ""},
		{"a delivery does not wait for another key",
			[]string{"send k/1", "202 k/1", "send j/2", "202 j/2", "begun j/2", "handled j/2", "begun k/1", "handled k/1"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := play(test.steps...).report()
			report.Kills = 1
			err := report.Err()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAccountCounts(t *testing.T) {
	a := play("send a", "202 a", "202 a", "begun a", "send b", "202 b", "begun b", "send c", "begun c", "handled c", "settled c", "send d")
	if acknowledged, running := a.sinceLastKill(); acknowledged != 2 || running != 2 {
		t.Errorf("%d acknowledged and %d running, want 2 and 2", acknowledged, running)
	}
	if claimed := a.excuseClaims(); claimed != 2 {
		t.Errorf("%d were claimed at the kill, want 2", claimed)
	}
	a.endRuns()
	a.read("begun a 3 6")
	a.read("begun a 6 9")
	a.acknowledge("d", true)
	if acknowledged, second := a.endKill(); acknowledged != 3 || second != 1 {
		t.Errorf("%d acknowledged and %d second runs, want 3 and 1", acknowledged, second)
	}
	if acknowledged, running := a.sinceLastKill(); acknowledged != 0 || running != 2 {
		t.Errorf("after the kill %d acknowledged and %d running, want 0 and 2", acknowledged, running)
	}
	r := a.report()
	got := [...]int{r.Sent, r.Acknowledged, r.FoundStored, r.Unanswered, r.UnansweredRan, r.SecondRuns, r.Claimed, r.Expired, len(r.Lost)}
	if want := [...]int{4, 3, 1, 1, 1, 1, 2, 1, 3}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAReportWithoutKillsIsAnError(t *testing.T) {
	for name, r := range map[string]Report{
		"no kill":              {Acknowledged: 1000},
		"nothing acknowledged": {Kills: 200},
	} {
		if err := r.Err(); !errors.Is(err, ErrVacuous) {
			t.Errorf("%s: got %v, want %v", name, err, ErrVacuous)
		}
	}
	if err := (Report{Kills: 1, Acknowledged: 9, SecondRuns: 3, Claimed: 2}).Err(); err == nil {
		t.Error("more second runs than were claimed are no error")
	}
}
