package kudu

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// An occurrence is an entry of a list that has ended: a deployment or a run for
// which Kudu has called the hooks, or should have.
type occurrence struct {
	id    string
	end   wire.Time
	entry json.RawMessage
}

// occurrence returns the occurrence of an entry. It returns false if the entry
// has not ended: it is in progress, or was interrupted so that Kudu made no
// call.
func (t Target) occurrence(entry json.RawMessage) (occurrence, bool, error) {
	if t.set {
		var run TriggeredJobRun
		if err := json.Unmarshal(entry, &run); err != nil {
			return occurrence{}, false, fmt.Errorf("%w: a run cannot be decoded", ErrAnswer)
		}
		return occurrence{run.ID, run.EndTime, entry}, run.ID != "" && run.hasEnded(), nil
	}
	var d Deployment
	if err := json.Unmarshal(entry, &d); err != nil {
		return occurrence{}, false, fmt.Errorf("%w: a deployment cannot be decoded", ErrAnswer)
	}
	return occurrence{d.ID, d.EndTime, entry}, d.ID != "" && d.hasEnded(), nil
}

// mark returns what identifies the occurrence. A redeployment has another.
func (o occurrence) mark() mark { return markOf(o.id, o.end.Text()) }

// endedAt returns the end by the site's clock.
func (o occurrence) endedAt() time.Time { return o.end.Time }

// hasEnded reports whether Kudu has called the hooks for the deployment, or
// should have. A redeployment that begins has the end of the last one for a
// moment.
func (d *Deployment) hasEnded() bool {
	switch Status(strings.ToLower(string(d.Status))) {
	case StatusPending, StatusBuilding, StatusDeploying:
		return false
	}
	return d.Complete && hasTime(d.EndTime)
}

// hasEnded reports whether Kudu has called the hooks for the run, or should
// have. A run without an end was interrupted together with Kudu.
func (r *TriggeredJobRun) hasEnded() bool {
	switch strings.ToLower(string(r.Status)) {
	case "initializing", "running":
		return false
	}
	return hasTime(r.EndTime)
}

// hasTime reports whether a time is set. .NET writes a time that was never set
// as year 1.
func hasTime(t wire.Time) bool { return !t.Time.IsZero() && isEndTime(t.Text()) }

// bodies returns the body that a hook sends for an entry that has ended,
// followed by others that it may have sent instead. They differ in the host,
// since Kudu's calls have the one by which it was called last, or none. The
// first of hosts is that of the site.
func (t Target) bodies(entry json.RawMessage, hosts []string) ([][]byte, error) {
	var bodies [][]byte
	add := func(payload any) error {
		body, err := json.Marshal(payload)
		bodies = append(bodies, body)
		return err
	}
	if !t.set {
		var d Deployment
		if err := json.Unmarshal(entry, &d); err != nil {
			return nil, err
		}
		for _, host := range append([]string{hosts[0], ""}, hosts[1:]...) {
			if err := add(d.asSent(host)); err != nil {
				return nil, err
			}
		}
		return bodies, nil
	}
	var run TriggeredJobRun
	if err := json.Unmarshal(entry, &run); err != nil {
		return nil, err
	}
	run = run.asSent(t.job)
	if err := add(run); err != nil {
		return nil, err
	}
	run.OutputURL, run.ErrorURL = wire.Optional[string]{}, wire.Optional[string]{}
	for _, host := range append([]string{""}, hosts...) {
		if run.URL = ""; host != "" {
			run.URL = "https://" + host
		}
		if err := add(run); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

// asSent returns a listed deployment as a hook sends it (Kudu:
// WebHooksManager.cs): with the names in camelCase and the name of the status,
// without null, false and what only the list has. Empty texts are sent.
func (d *Deployment) asSent(host string) Deployment {
	sent := *d
	sent.statusToken, sent.forms = "", [fieldCount]fieldForm{}
	sent.Active, sent.URL, sent.LogURL, sent.ProvisioningState = false, "", "", ""
	sent.HostName = host
	for at, field := range sent.fields() {
		switch v := field.(type) {
		case *string:
			if d.forms[at] != 0 && d.forms[at]&nullForm == 0 && at < atActive && at != atHostName {
				sent.forms[at] = sentForm
			}
		case *wire.Time:
			if !hasTime(*v) {
				*v = wire.Time{}
			}
		}
	}
	return sent
}

// sentForm is the form of a field under the name that Kudu sends.
const sentForm fieldForm = 1

// asSent returns a listed run as a hook sends it: without null and without
// times that were never set. In old versions the list does not have the job.
func (r TriggeredJobRun) asSent(job string) TriggeredJobRun {
	if r.JobName == "" {
		r.JobName = job
	}
	for _, at := range []*wire.Time{&r.StartTime, &r.EndTime} {
		if !hasTime(*at) {
			*at = wire.Time{}
		}
	}
	for _, text := range []*wire.Optional[string]{&r.OutputURL, &r.ErrorURL, &r.Trigger} {
		if text.IsNull() {
			*text = wire.Optional[string]{}
		}
	}
	return r
}
