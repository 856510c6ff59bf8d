package edgetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const lease = 3

// play returns the account of a trial in steps: "send a", "202 a", "lease" for the time that one
// takes, or a line of the journal. An id such as k/2 is the second of key k.
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
			a.acknowledge(id)
		case "503":
			a.refuse(id, errors.New("503"), true)
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

func repeat(n int, steps ...string) (all []string) {
	for range n {
		all = append(all, steps...)
	}
	return all
}

func TestAccountFindsWhatWasBroken(t *testing.T) {
	for name, test := range map[string]struct {
		steps string // separated by commas
		want  string // in the error; empty means none
	}{
		"handled":                             {"send a,202 a,begun w1 a,handled w1 a,settled w1 a", ""},
		"handled before the answer":           {"send a,begun w1 a,handled w1 a,202 a", ""},
		"a loss":                              {"send a,202 a", "1 acknowledged deliveries were never handled: a"},
		"a loss of what only began":           {"send a,202 a,begun w1 a,killed w1", "never handled: a"},
		"a loss of what failed":               {"send a,202 a,begun w1 a,failed w1 a", "never handled: a"},
		"no answer, no run":                   {"send a,send b,202 b,begun w1 b,handled w1 b", ""},
		"second run after a worker's death":   {"send a,202 a,begun w1 a,handled w1 a,killed w1,lease,begun w2 a,handled w2 a,settled w2 a", ""},
		"second run after an outage":          {"send a,202 a,begun w1 a,handled w1 a,outage,lost w1 a,lease,begun w2 a,handled w2 a", ""},
		"second run after a lost lease":       {"send a,202 a,begun w1 a,lease,begun w2 a,handled w2 a", ""},
		"second run of one given back":        {"send a,202 a,begun w1 a,failed w1 a,released w1 a,begun w2 a,handled w2 a", ""},
		"a double run":                        {"send a,202 a,begun w1 a,handled w1 a,settled w1 a,begun w2 a", "a ran again after it was settled"},
		"a double run after a kill":           {"send a,202 a,begun w1 a,handled w1 a,settled w1 a,killed w1,lease,begun w2 a", "a ran again after it was settled"},
		"a double run under a lease":          {"send a,202 a,begun w1 a,handled w1 a,begun w2 a", "a ran again before its lease"},
		"a double run after another's death":  {"send a,202 a,begun w1 a,handled w1 a,killed w2,begun w2 a", "a ran again before its lease"},
		"a run of nothing":                    {"send a,202 a,begun w1 a,handled w1 a,begun w1 b", "nothing of that id was sent"},
		"other bytes":                         {"send a,202 a,begun w1 a,handled w1 a,damaged w1 a", "not the bytes"},
		"an inversion":                        {"send k/1,202 k/1,send k/2,202 k/2,begun w1 k/2,handled w1 k/2,begun w1 k/1,handled w1 k/1", "k/2 ran before k/1"},
		"an inversion while the first runs":   {"send k/1,202 k/1,send k/2,begun w1 k/1,begun w2 k/2,handled w1 k/1", "k/2 ran before k/1"},
		"order":                               {"send k/1,202 k/1,send k/2,202 k/2,begun w1 k/1,handled w1 k/1,begun w2 k/2,handled w2 k/2", ""},
		"order of those sent together":        {"send k/1,send k/2,202 k/1,202 k/2,begun w1 k/2,handled w1 k/2,begun w2 k/1,handled w2 k/1", ""},
		"no order between keys":               {"send k/1,202 k/1,send j/2,202 j/2,begun w1 j/2,handled w1 j/2,begun w1 k/1,handled w1 k/1", ""},
		"no order after one not acknowledged": {"send k/1,send k/2,202 k/2,begun w1 k/2,handled w1 k/2,begun w1 k/1", ""},
		"an error that a sender saw":          {"send a,503 a,202 a,begun w1 a,handled w1 a", "the sender of a saw an error: 503"},
		"a line that nothing writes":          {"send a,202 a,begun w1 a,handled w1 a,ended w1 a", "no such line"},
		"nothing acknowledged proves nothing": {"send a", "nothing was acknowledged"},
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, play(strings.Split(test.steps, ",")...), test.want) })
	}
}

func wantErr(t *testing.T, a *account, want string) {
	t.Helper()
	err := a.err()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestAccountFindsProbesTogether(t *testing.T) {
	kept := []string{"send a", "202 a", "begun w1 a", "handled w1 a"}
	for name, test := range map[string]struct {
		steps []string
		want  string
	}{
		"many at once while it works":    {repeat(1000, "tries r1 a"), ""},
		"one after the other":            {repeat(1000, "tries r1 a", "refused r1 a"), ""},
		"two relays":                     {repeat(1000, "tries r1 a", "tries r2 a", "refused r1 a", "refused r2 a"), ""},
		"those under way":                {append(repeat(concurrency, "tries r1 a"), repeat(concurrency, "refused r1 a")...), ""},
		"two at once, again and again":   {append(repeat(2, "tries r1 a"), repeat(1000, "refused r1 a", "tries r1 a")...), "r1 tried many deliveries at once"},
		"two at once, with its recovery": {append(repeat(2, "tries r1 a"), repeat(1000, "refused r1 a", "tries r1 a", "stored r1 a", "tries r1 a")...), ""},
		"two at once, each killed":       {repeat(1000, "tries r1 a", "tries r1 a", "refused r1 a", "tries r1 a", "killed r1"), ""},
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, play(append(kept, test.steps...)...), test.want) })
	}
}

func TestAccountCounts(t *testing.T) {
	a := play("send a", "202 a", "202 a", "begun w1 a", "send b", "202 b", "begun w1 b", "handled w1 b", "settled w1 b", "killed w1", "lease", "begun w2 a", "lease", "begun w1 a", "tries r1 a", "refused r1 a")
	a.refuse("b", errors.New("503"), false)
	if got, want := a.now(), (totals{sent: 2, acknowledged: 2, handled: 1, unhandled: 1, secondRuns: 1, expired: 1, refused: 1, refusals: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
