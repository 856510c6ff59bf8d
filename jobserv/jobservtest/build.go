package jobservtest

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/pyjson"
	"github.com/hookhouse/hookhouse/jobserv"
)

// A project is one of a Server.
type project struct {
	name   string
	hooks  []Hook
	builds []*build // ascending by number
}

// A build is one of a project, with one run.
type build struct {
	project, name, trigger, annotation, reason string
	id                                         int64
	status                                     jobserv.Status // of the build and its run
	events                                     []event        // at least one
	run                                        string         // the name of its run
	external                                   bool           // its run has no times
	failed                                     bool           // before it began
}

type event struct {
	at     time.Time
	status jobserv.Status
}

// add sets the status and adds the event of it.
func (b *build) add(status jobserv.Status, at time.Time) {
	b.status = status
	b.events = append(b.events, event{at, status})
}

// asJSON returns the members of a build in the order in which a call has them.
func (b *build) asJSON(at url.URL, detailed bool) pyjson.Object {
	own := at.JoinPath("projects", b.project, "builds", strconv.FormatInt(b.id, 10), "/")
	var o pyjson.Object
	o.Add("build_id", b.id)
	o.Add("url", own.String())
	o.Add("status", string(b.status))
	o.Add("runs", b.runsJSON(at))
	if b.name != "" {
		o.Add("name", b.name)
	}
	if b.trigger != "" {
		o.Add("trigger_name", b.trigger)
	}
	b.addTimes(&o, 0)
	if !detailed {
		return o
	}
	events := []any{}
	for _, e := range b.events {
		var one pyjson.Object
		one.Add("time", isoformat(e.at))
		one.Add("status", string(e.status))
		events = append(events, one)
	}
	o.Add("status_events", events)
	o.Add("runs_url", own.JoinPath("runs", "/").String())
	o.Add("reason", orNull(b.reason))
	o.Add("annotation", orNull(b.annotation))
	return o
}

// runsJSON returns the runs of a build.
func (b *build) runsJSON(at url.URL) []any {
	own := at.JoinPath("projects", b.project, "builds", strconv.FormatInt(b.id, 10), "runs", b.run, "/")
	status := b.status
	if status == jobserv.Promoted {
		status = b.events[len(b.events)-1].status
	}
	var o pyjson.Object
	o.Add("name", b.run)
	o.Add("url", own.String())
	o.Add("status", string(status))
	o.Add("log_url", own.JoinPath("console.log").String())
	if b.external {
		return []any{o}
	}
	b.addTimes(&o, b.ranFrom())
	if !b.failed {
		o.Add("host_tag", "amd64")
	}
	return []any{o}
}

// ranFrom returns the index of the first event of the run. That it was queued first is none.
func (b *build) ranFrom() int {
	return slices.IndexFunc(b.events, func(e event) bool { return e.status != jobserv.Queued })
}

// addTimes adds the times of the events from the one with index first, which may be under
// zero: there is none.
func (b *build) addTimes(o *pyjson.Object, first int) {
	if first < 0 {
		return
	}
	o.Add("created", isoformat(b.events[first].at))
	if b.status.Complete() {
		o.Add("completed", isoformat(b.events[len(b.events)-1].at))
	}
}

// isoformat returns a time as datetime.isoformat of Python writes it, with the zone that
// JobServ adds: with six digits of a second or none.
func isoformat(t time.Time) string {
	text := t.UTC().Format("2006-01-02T15:04:05.000000")
	if t.Nanosecond()/1000 == 0 {
		text = t.UTC().Format("2006-01-02T15:04:05")
	}
	return text + "+00:00"
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
