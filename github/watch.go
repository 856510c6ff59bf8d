package github

import (
	"strconv"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// maxWatched is the most paths that one event watches.
const maxWatched = 5

// A watch is what describe reads of one event's body.
type watch struct {
	paths *scan.Paths
	// subject is the kind of the second path, after the repository's name, as the
	// payload decodes it: String or Number. Absent: the event has no key.
	subject scan.Kind
	prefix  string // before the subject in the key
	bareRef bool   // the subject is a ref without refs/..., the third path its type
	// repeats reports whether the body may lawfully be sent again to the byte. Nil
	// means never.
	repeats func(values []scan.Value) bool
	payload bool // this package has a payload for it, whose Check is this scan
}

const repositoryName = "repository.full_name"

// watches holds the events whose deliveries have an order, and those that may
// repeat. Events that speak of the same thing share a key: a push, a create and
// a delete of one ref; all statuses of a deployment.
var watches = map[string]watch{
	"push":              {payload: true, paths: scan.New(repositoryName, "ref"), subject: scan.String},
	"create":            {payload: true, paths: scan.New(repositoryName, "ref", "ref_type"), subject: scan.String, bareRef: true},
	"delete":            {payload: true, paths: scan.New(repositoryName, "ref", "ref_type"), subject: scan.String, bareRef: true},
	"pull_request":      {payload: true, paths: scan.New(repositoryName, "number"), prefix: "pull/", subject: scan.Number},
	"release":           {payload: true, paths: scan.New(repositoryName, "release.tag_name"), prefix: "release/", subject: scan.String},
	"workflow_run":      {payload: true, paths: scan.New(repositoryName, "workflow_run.id"), prefix: "workflow_run/", subject: scan.Number},
	"deployment_status": {payload: true, paths: scan.New(repositoryName, "deployment.id"), prefix: "deployment/", subject: scan.Number},
	"status":            {payload: true, paths: scan.New(repositoryName, "sha"), prefix: "status/", subject: scan.String},

	"check_run":           {payload: true, paths: scan.New(repositoryName, "check_run.id", "action", "commits", "after"), prefix: "check_run/", subject: scan.Number, repeats: requested},
	"check_suite":         {paths: scan.New(repositoryName, "check_suite.id", "action", "commits", "after"), prefix: "check_suite/", subject: scan.Number, repeats: requested},
	"workflow_dispatch":   {paths: scan.New("workflow", "inputs", "action", "commits", "after"), repeats: dispatchedWorkflow},
	"repository_dispatch": {paths: scan.New("action", "branch", "client_payload", "commits", "after"), repeats: dispatchedRepository},
}

// The funcs below report whether a body is shaped like what the event header,
// which is not signed, says it is. Two genuine ones can be equal to the byte, as
// a button can be pressed twice, so that their fingerprint must not make the
// second a duplicate; a captured push under such a name must not get through by
// that.

// requested: somebody asked for a check again, or pressed a button of it.
func requested(v []scan.Value) bool {
	action := v[2].String()
	return v[1].Kind == scan.Number && (action == "rerequested" || action == "requested_action") && absent(v[3:])
}

func dispatchedWorkflow(v []scan.Value) bool {
	inputs := v[1].Kind == scan.Object || v[1].Kind == scan.Null
	return v[0].Kind == scan.String && inputs && absent(v[2:])
}

func dispatchedRepository(v []scan.Value) bool {
	return v[0].Kind == scan.String && v[1].Kind == scan.String && v[2].Kind != scan.Absent && absent(v[3:])
}

func absent(values []scan.Value) bool {
	for _, v := range values {
		if v.Kind != scan.Absent {
			return false
		}
	}
	return true
}

// key returns "owner/repo subject"; empty, which is unordered, where a part is
// missing or of another kind than the payload takes.
func (w watch) key(v []scan.Value) string {
	if w.subject == scan.Absent || v[0].Kind != scan.String || v[1].Kind != w.subject {
		return ""
	}
	repository, subject := v[0].String(), v[1].String()
	if repository == "" || subject == "" {
		return ""
	}
	prefix := w.prefix
	if w.bareRef {
		if v[2].Kind != scan.String {
			return ""
		}
		if prefix = refPrefix(v[2].String()); prefix == "" {
			return ""
		}
	}
	if w.subject == scan.Number {
		if id, err := strconv.ParseInt(subject, 10, 64); err != nil || id <= 0 {
			return ""
		}
	}
	return repository + " " + prefix + subject
}
