package kudu

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// listed returns occurrences, newest first, that ended so long before noon.
func listed(before ...time.Duration) []occurrence {
	var list []occurrence
	for _, d := range before {
		list = append(list, occurrence{id: d.String(), end: wire.At(noon.Add(-d))})
	}
	return list
}

// openOf returns those that are open, as their ages.
func openOf(p position, list []occurrence, now time.Time) string {
	var open []string
	for _, o := range list {
		if p.isOpen(o, now) {
			open = append(open, o.id)
		}
	}
	return strings.Join(open, " ")
}

func marksOf(list ...occurrence) map[mark]bool {
	marks := make(map[mark]bool)
	for _, o := range list {
		marks[o.mark()] = true
	}
	return marks
}

func TestAPositionSkipsNothingAndRepeatsNothing(t *testing.T) {
	list := listed(time.Hour, 2*time.Hour, 48*time.Hour)
	var p position
	if got := openOf(p, list, noon); got != "1h0m0s 2h0m0s 48h0m0s" {
		t.Errorf("in the first position %s are open", got)
	}
	p = p.next(list, nil, noon)
	if got := openOf(p, list, noon); got != "" || !p.upto.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%s are open when all are settled; position %v", got, p)
	}
	later := append(listed(-time.Hour, time.Minute, 90*time.Minute, 30*time.Hour), list...)
	if got := openOf(p, later, noon); got != "-1h0m0s 1m0s 1h30m0s" {
		t.Errorf("%s are open: want newer ones, and one of yesterday that was not listed", got)
	}
	half := p.next(later, marksOf(later[1]), noon)
	if got := openOf(half, later, noon.Add(100*24*time.Hour)); got != "1m0s" {
		t.Errorf("%s are open, want the one that is not settled, also after months", got)
	}
	if end := noon.Add(-time.Minute - 1); !half.upto.Equal(end) {
		t.Errorf("settled up to %v, want %v", half.upto, end)
	}
	if all := p.next(later, nil, noon); !all.upto.Equal(noon) {
		t.Errorf("settled up to %v: an end in the future counts", all.upto)
	}
}

func TestAPositionOfALongListFitsIntoACursor(t *testing.T) {
	var ages []time.Duration
	for n := range 500 {
		ages = append(ages, time.Duration(n+1)*time.Minute)
	}
	list := listed(ages...)
	p := new(position).next(list, nil, noon)
	if len(p.seen) != maxSeen || !p.floor.Equal(noon.Add(-81*time.Minute)) || openOf(p, list, noon) != "" {
		t.Errorf("%d marks and a floor of %v", len(p.seen), p.floor)
	}
	next := p.next(append(listed(ages[:100]...), list...), nil, noon)
	if !next.floor.Equal(p.floor) {
		t.Errorf("a later position has a floor of %v, want that of the first", next.floor)
	}
	p.upto, p.floor, p.first = noon.Add(123456789), noon.Add(123456789), noon.Add(123456789)
	text := p.String()
	if err := limit.Cursor("name", text); err != nil {
		t.Error(err)
	}
	got, ok := parsePosition(text)
	p.text = text
	if diff := cmp.Diff(p, got, cmp.AllowUnexported(position{})); !ok || diff != "" {
		t.Errorf("parsed (-want +got):\n%s", diff)
	}
	p = (&position{begun: true}).next(list, marksOf(list[499]), noon)
	if got := strings.Fields(openOf(p, list, noon)); len(got) != 500-maxSeen || got[len(got)-1] != list[499].id {
		t.Errorf("%d are looked up, want those without a mark, with the oldest", len(got))
	}
	empty := position{begun: true}
	if got, ok := parsePosition(empty.String()); !ok || !got.upto.IsZero() || len(got.seen) != 0 {
		t.Errorf("the empty position is parsed as %v", got)
	}
	for _, text := range []string{"", "a b c", "- -", "- - - x!", "- - - AAAA", "- - AAAA", "- - - - -", "- - x -"} {
		if _, ok := parsePosition(text); ok {
			t.Errorf("%q is a position", text)
		}
	}
}

// Newer marks must not displace those of what the first run left alone, which no inbox knows.
func TestWhatTheFirstRunLeftAloneStaysSo(t *testing.T) {
	var ages []time.Duration
	for n := range 100 {
		ages = append(ages, time.Duration(n+1)*time.Minute)
	}
	left := listed(ages...)
	p, list := new(position).next(left, nil, noon), left
	for n := range 40 {
		list = append(listed(-time.Duration(n+1)*time.Minute), list...)
		p = p.next(list, nil, noon.Add(time.Hour))
	}
	if got := openOf(p, left, noon.Add(time.Hour)); got != "" {
		t.Errorf("%s are open", got)
	}
	if got := openOf(p, listed(30*time.Minute+time.Second), noon.Add(time.Hour)); got == "" {
		t.Error("what ended after the floor is not looked at, although its clock may have been set back")
	}
}

func TestPositionsOfTwoProcessesAreMerged(t *testing.T) {
	list := listed(time.Hour, 2*time.Hour, 3*time.Hour)
	a := new(position).next(list[1:], marksOf(list[2]), noon)
	b := new(position).next(list[2:], nil, noon)
	for _, got := range []position{a.merge(b), b.merge(a)} {
		if open := openOf(got, list, noon); open != "1h0m0s" || !got.upto.Equal(noon.Add(-3*time.Hour)) {
			t.Errorf("%s are open, up to %v", open, got.upto)
		}
	}
}

func TestEntriesInProgressHaveNotEnded(t *testing.T) {
	const end = `"end_time":"2026-03-04T05:06:07Z"`
	for entry, want := range map[string]bool{
		`{"id":"1","status":4,"complete":true,` + end + `}`:                      true,
		`{"id":"1","status":"Failed","complete":true,` + end + `}`:               true,
		`{"id":"1","status":5,"complete":true,` + end + `}`:                      true,
		`{"id":"1","status":4,` + end + `}`:                                      false,
		`{"id":"1","status":0,"complete":true,` + end + `}`:                      false,
		`{"id":"1","status":"Building","complete":true,` + end + `}`:             false,
		`{"id":"1","status":3,"complete":true,"end_time":null}`:                  false,
		`{"id":"1","status":3,"complete":true,"end_time":"0001-01-01T00:00:00"}`: false,
		`{"id":"","status":4,"complete":true,` + end + `}`:                       false,
		`null`: false,
	} {
		if _, got, err := Deployments().occurrence(json.RawMessage(entry)); got != want || err != nil {
			t.Errorf("deployment %s: ended is %v, %v", entry, got, err)
		}
	}
	for entry, want := range map[string]bool{
		`{"id":"1","status":"Success",` + end + `}`:                      true,
		`{"id":"1","status":"Aborted",` + end + `}`:                      true,
		`{"id":"1","status":"Running",` + end + `}`:                      false,
		`{"id":"1","status":"Initializing"}`:                             false,
		`{"id":"1","status":"Aborted","end_time":"0001-01-01T00:00:00"}`: false,
		`{"status":"Success",` + end + `}`:                               false,
	} {
		if _, got, err := TriggeredJob("j").occurrence(json.RawMessage(entry)); got != want || err != nil {
			t.Errorf("run %s: ended is %v, %v", entry, got, err)
		}
	}
	for _, entry := range []string{`7`, `{"id":1}`, `{"id":"1","end_time":[]}`} {
		for _, target := range []Target{Deployments(), TriggeredJob("j")} {
			if _, _, err := target.occurrence(json.RawMessage(entry)); err == nil || strings.Contains(err.Error(), entry) {
				t.Errorf("%s %s: %v", target, entry, err)
			}
		}
	}
}

func TestBodiesNameEachHost(t *testing.T) {
	entry := json.RawMessage(`{"id":"1","status":"success","complete":true,"site_name":"s","job_name":"j","url":"https://x/1","output_url":"https://x/o"}`)
	hosts := []string{"a.scm", "b.scm"}
	for _, tc := range []struct {
		target Target
		member string
		want   string
	}{
		{Deployments(), "hostName", "[a.scm <nil> b.scm]"},
		{TriggeredJob("j"), "url", "[https://x/1 <nil> https://a.scm https://b.scm]"},
		{TriggeredJob("j"), "output_url", "[https://x/o <nil> <nil> <nil>]"},
	} {
		bodies, err := tc.target.bodies(entry, hosts)
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, body := range bodies {
			var m map[string]any
			if err := json.Unmarshal(body, &m); err != nil {
				t.Fatal(err)
			}
			got = append(got, m[tc.member])
		}
		if fmt.Sprint(got) != tc.want || slices.Contains(got, any("")) {
			t.Errorf("%s: %s is %v, want %s", tc.target, tc.member, got, tc.want)
		}
	}
}
