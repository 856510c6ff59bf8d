package standby

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
)

// What happens to a delivery. Workers print all but the first two.
const (
	sent         = "sent"
	acknowledged = "acknowledged"
	begun        = "begun"
	handled      = "handled"
	settled      = "settled"
)

// An event is what a process saw at a time. The lines of several workers are read in any
// order, so that the account is made of all events at the end, in the order of their times.
type event struct {
	at            time.Time
	verb, id, key string
}

// line is what a worker prints of an event that happens now.
func line(verb, id string) string {
	return fmt.Sprint(verb, " ", id, " ", time.Now().UnixNano())
}

func parseEvent(line string) (event, error) {
	words := strings.Fields(line)
	if len(words) == 3 && slices.Contains([]string{begun, handled, settled}, words[0]) {
		if nanoseconds, err := strconv.ParseInt(words[2], 10, 64); err == nil {
			return event{time.Unix(0, nanoseconds), words[0], words[1], ""}, nil
		}
	}
	return event{}, fmt.Errorf("a worker printed %q", line)
}

// A detail is what the account notes of a delivery.
type detail struct{ settled bool }

// account returns the account of events in any order.
func account(events []event) *ledger.Book[detail] {
	book := ledger.NewBook[detail]()
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	for _, ev := range events {
		if ev.verb == sent {
			book.Send(ev.id, ev.key)
			continue
		}
		e := book.Entry(ev.id)
		switch {
		case e == nil:
			book.Faultf("%s %s, which was not sent", ev.verb, ev.id)
		case ev.verb == acknowledged:
			book.Acknowledge(e)
		case ev.verb == begun:
			if book.Begin(e); e.Detail.settled {
				book.Faultf("%s ran again after it was settled", ev.id)
			}
		case ev.verb == handled:
			book.Handle(e)
		default:
			e.Detail.settled = true
		}
	}
	book.CheckOrder()
	return &book
}

func TestAccountOfSeveralWorkersGoesByTheirTimes(t *testing.T) {
	at := func(second int, verb, id string) event { return event{time.Unix(int64(second), 0), verb, id, "k"} }
	all := []event{at(1, sent, "k1"), at(2, acknowledged, "k1"), at(3, sent, "k2"), at(4, acknowledged, "k2")}
	for name, tt := range map[string]struct {
		events []event
		want   string
	}{
		"lines read late":  {[]event{at(7, begun, "k2"), at(8, handled, "k2"), at(5, begun, "k1"), at(6, handled, "k1")}, ""},
		"the wrong order":  {[]event{at(5, begun, "k2"), at(6, handled, "k2"), at(7, begun, "k1"), at(8, handled, "k1")}, "k2 ran before k1"},
		"again":            {[]event{at(5, begun, "k1"), at(6, handled, "k1"), at(7, settled, "k1"), at(8, begun, "k1")}, "ran again"},
		"of nobody":        {[]event{at(5, begun, "k3")}, "was not sent"},
		"sent after a run": {[]event{at(0, begun, "k1")}, "was not sent"},
	} {
		book := account(append(slices.Clone(all), tt.events...))
		if got := strings.Join(book.Faults, "; "); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: faults %q, want %q", name, got, tt.want)
		}
	}
}
