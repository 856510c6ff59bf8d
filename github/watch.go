package github

import (
	"strconv"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// maxWatched is the most paths that one event watches.
const maxWatched = 5

// values is what stands at the paths of a watch. It goes by value, so that it
// stays on the stack.
type values [maxWatched]scan.Value

// A watch is what describe reads of one event's body.
type watch struct {
	typ   string // of the delivery, by [typed]
	paths *scan.Paths
	// subject is the kind of the second path, after the repository's name, as the
	// payload decodes it: String or Number. Absent: the event has no key.
	subject scan.Kind
	prefix  string // before the subject in the key
	// repeats reports whether the body may lawfully be sent again to the byte. Nil
	// means never.
	repeats func(values) bool
}

const repositoryName = "repository.full_name"

// watches holds the events whose deliveries have an order, and those that may
// repeat. No two events share a key: one that nobody handles would stand before
// the other for ever.
var watches = typed(map[string]watch{
	"push":              {paths: scan.New(repositoryName, "ref"), subject: scan.String},
	"create":            {paths: scan.New(repositoryName, "ref"), prefix: "create/", subject: scan.String},
	"delete":            {paths: scan.New(repositoryName, "ref"), prefix: "delete/", subject: scan.String},
	"pull_request":      {paths: scan.New(repositoryName, "number"), prefix: "pull/", subject: scan.Number},
	"release":           {paths: scan.New(repositoryName, "release.tag_name"), prefix: "release/", subject: scan.String},
	"workflow_run":      {paths: scan.New(repositoryName, "workflow_run.id"), prefix: "workflow_run/", subject: scan.Number},
	"deployment_status": {paths: scan.New(repositoryName, "deployment.id"), prefix: "deployment/", subject: scan.Number},
	"status":            {paths: scan.New(repositoryName, "sha"), prefix: "status/", subject: scan.String},

	"check_run":           {paths: scan.New(repositoryName, "check_run.id", "action", "commits", "after"), prefix: "check_run/", subject: scan.Number, repeats: requested},
	"check_suite":         {paths: scan.New(repositoryName, "check_suite.id", "action", "commits", "after"), prefix: "check_suite/", subject: scan.Number, repeats: requested},
	"workflow_dispatch":   {paths: scan.New("workflow", "inputs", "action", "commits", "after"), repeats: dispatchedWorkflow},
	"repository_dispatch": {paths: scan.New("action", "branch", "client_payload", "commits", "after"), repeats: dispatchedRepository},
})

// typed sets the types once, so that no delivery pays for its own.
func typed(byEvent map[string]watch) map[string]watch {
	for event, w := range byEvent {
		w.typ = typeOf(event)
		byEvent[event] = w
	}
	return byEvent
}

// The funcs below report whether a body is shaped like what the event header,
// which is not signed, says it is. Two genuine ones can be equal to the byte, as
// a button can be pressed twice, so that their fingerprint must not make the
// second a duplicate; a captured push under such a name must not get through by
// that.

// requested: somebody asked for a check again, or pressed a button of it.
func requested(v values) bool {
	action := v[2].String()
	return v[1].Kind == scan.Number && (action == "rerequested" || action == "requested_action") && absent(v[3:])
}

func dispatchedWorkflow(v values) bool {
	inputs := v[1].Kind == scan.Object || v[1].Kind == scan.Null
	return v[0].Kind == scan.String && inputs && absent(v[2:])
}

func dispatchedRepository(v values) bool {
	return v[0].Kind == scan.String && v[1].Kind == scan.String && v[2].Kind != scan.Absent && absent(v[3:])
}

func absent(rest []scan.Value) bool {
	for _, v := range rest {
		if v.Kind != scan.Absent {
			return false
		}
	}
	return true
}

// key returns "owner/repo subject"; empty, which is unordered, where a part is
// missing or of another kind than the payload takes.
func (w watch) key(v values) string {
	repository, subject := v[0], v[1]
	if w.subject == scan.Absent || repository.Kind != scan.String || subject.Kind != w.subject {
		return ""
	}
	if w.subject == scan.Number {
		if id, err := strconv.ParseInt(string(subject.Raw), 10, 64); err != nil || id <= 0 {
			return ""
		}
	}
	var room [128]byte // more than most keys take
	key := repository.Append(room[:0])
	if len(key) == 0 {
		return ""
	}
	key = append(append(key, ' '), w.prefix...)
	empty := len(key)
	if key = subject.Append(key); len(key) == empty {
		return ""
	}
	return string(key)
}
