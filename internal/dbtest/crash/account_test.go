package crash

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const lease = 3

// play plays a trial: "send a", "202 a", "kill" of the receiver, "outage" of its
// database, "lease" for the time that one takes, or a line of the receiver's. An
// id such as k/2 is the second of key k.
func play(steps ...string) *ledger {
	l, now := newLedger(), 0
	for _, step := range steps {
		verb, id, _ := strings.Cut(step, " ")
		switch verb {
		case "send":
			key, number := "", 0
			if at := strings.IndexByte(id, '/'); at > 0 {
				key, number = id[:at], int(id[at+1]-'0')
			}
			l.send(id, key, number)
		case "202":
			l.acknowledge(id, false)
		case "kill":
			l.meet()
			l.bury()
		case "outage":
			l.meet()
		case "lease":
			now += lease
		case begun:
			l.read(fmt.Sprint(step, " ", now, " ", now+lease))
		default:
			l.read(step)
		}
	}
	return l
}

func TestTheLedgerSaysWhatWasBroken(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []string
		want  string // in the error; empty means none
	}{
		{"acknowledged and handled is kept",
			[]string{"send a", "202 a", "begun a", "handled a", "settled a"}, ""},
		{"handled before its answer was read is kept",
			[]string{"send a", "begun a", "handled a", "202 a", "kill"}, ""},
		{"acknowledged and never begun is lost",
			[]string{"send a", "202 a"}, "never handled: a"},
		{"acknowledged and begun only is lost",
			[]string{"send a", "202 a", "begun a", "kill"}, "never handled: a"},
		{"a run that failed is no handling",
			[]string{"send a", "202 a", "begun a", "failed a"}, "never handled: a"},
		{"what was begun at a kill may run again",
			[]string{"send a", "202 a", "begun a", "kill", "lease", "begun a", "handled a"}, ""},
		{"what was handled and not settled at a kill may run again",
			[]string{"send a", "202 a", "begun a", "handled a", "kill", "lease", "begun a", "handled a"}, ""},
		{"what was claimed at the end of its database may run again",
			[]string{"send a", "202 a", "begun a", "handled a", "outage", "released a", "lease", "begun a", "handled a"}, ""},
		{"two kills excuse two second runs",
			[]string{"send a", "202 a", "begun a", "kill", "lease", "begun a", "kill", "lease", "begun a", "handled a"}, ""},
		{"what was not settled may run again when its lease has run out",
			[]string{"send a", "202 a", "begun a", "lease", "begun a", "handled a", "released a", "handled a", "settled a"}, ""},
		{"what is under a lease may not run again",
			[]string{"send a", "202 a", "begun a", "handled a", "begun a"}, "a ran again before"},
		{"what is under a lease may not run again after a kill either",
			[]string{"send a", "202 a", "begun a", "handled a", "kill", "begun a"}, "a ran again before"},
		{"what was settled may not run again",
			[]string{"send a", "202 a", "begun a", "handled a", "settled a", "lease", "begun a"}, "a ran again after"},
		{"what was settled may not run again after a kill either",
			[]string{"send a", "202 a", "begun a", "handled a", "settled a", "kill", "lease", "begun a"}, "a ran again after"},
		{"what was settled after the end of its database may not run again",
			[]string{"send a", "202 a", "begun a", "handled a", "outage", "settled a", "lease", "begun a"}, "a ran again after"},
		{"what was not acknowledged may run or not",
			[]string{"send a", "send b", "begun a", "handled a", "send c", "202 c", "begun c", "handled c"}, ""},
		{"what was not sent may not run",
			[]string{"send a", "202 a", "begun a", "handled a", "begun b"}, "nothing of that id was sent"},
		{"what was changed is found",
			[]string{"send a", "202 a", "begun a", "damaged a"}, "not the bytes"},
		{"what stands behind another of its key waits for it",
			[]string{"send k/1", "202 k/1", "send k/2", "202 k/2", "begun k/2"}, "k/2 ran before k/1"},
		{"what stands behind one that fell waits for it",
			[]string{"send k/1", "202 k/1", "begun k/1", "kill", "send k/2", "202 k/2", "begun k/2"}, "k/2 ran before k/1"},
		{"what follows its key is in order",
			[]string{"send k/1", "202 k/1", "send k/2", "begun k/1", "handled k/1", "begun k/2", "202 k/2", "handled k/2"}, ""},
		{"what was not acknowledged holds nobody up",
			[]string{"send k/1", "send k/2", "202 k/2", "begun k/2", "handled k/2", "begun k/1", "handled k/1"}, ""},
		{"another key is no reason to wait",
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

func TestTheLedgerCounts(t *testing.T) {
	l := play("send a", "202 a", "202 a", "begun a", "send b", "202 b", "begun b", "send c", "begun c", "handled c", "settled c", "send d")
	if acknowledged, running := l.since(); acknowledged != 2 || running != 2 {
		t.Errorf("%d acknowledged and %d running, want 2 and 2", acknowledged, running)
	}
	if claimed := l.meet(); claimed != 2 {
		t.Errorf("the kill met %d, want 2", claimed)
	}
	l.bury()
	l.read("begun a 3 6")
	l.read("begun a 6 9")
	l.acknowledge("d", true)
	if acknowledged, second := l.turn(); acknowledged != 3 || second != 1 {
		t.Errorf("%d acknowledged and %d second runs, want 3 and 1", acknowledged, second)
	}
	if acknowledged, running := l.since(); acknowledged != 0 || running != 2 {
		t.Errorf("after the turn %d acknowledged and %d running, want 0 and 2", acknowledged, running)
	}
	r := l.report()
	got := [...]int{r.Sent, r.Acknowledged, r.FoundStored, r.Unanswered, r.UnansweredRan, r.SecondRuns, r.Claimed, r.Expired, len(r.Lost)}
	if want := [...]int{4, 3, 1, 1, 1, 1, 2, 1, 3}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAReportOfNothingIsAnError(t *testing.T) {
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
