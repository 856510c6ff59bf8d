package github

import (
	"slices"
	"strconv"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// What describe reads of every body, in the order of the paths.
const (
	atRepository = iota
	atRef
	atBefore
	atAfter
	atPushedAt
	atAction
)

var common = []string{"repository.full_name", "ref", "before", "after", "repository.pushed_at", "action"}

// values is what stands at the paths of a watch: the common ones and at most
// three of its own. It goes by value, so that it stays on the stack.
type values [9]scan.Value

// A watch is what describe reads of one event's body, to tell its key and
// whether its signature is a dedup key.
type watch struct {
	typ   string // of the delivery
	paths *scan.Paths

	// subject is the path of what stands in the key after the repository's name,
	// and kind is String or Number, as the payload decodes it. Empty: no key.
	subject string
	kind    scan.Kind
	prefix  string // before the subject in the key

	// minted is the path of a number that GitHub mints for this one event, if the
	// body has this action and nothing at the path unless. Empty: see isPush.
	minted string
	action string // empty: the body has none
	unless string

	atSubject, atMinted, atUnless int
}

// watches holds the events that have a key, a dedup key by the signature, or
// both. No two events share a key: one that nobody handles would stand before
// the other for ever. The package comment lists the dedup keys, and says what
// an event needs to have one.
var watches = prepared(map[string]watch{
	"push":         {subject: "ref", kind: scan.String},
	"create":       {subject: "ref", kind: scan.String, prefix: "create/"},
	"delete":       {subject: "ref", kind: scan.String, prefix: "delete/"},
	"release":      {subject: "release.tag_name", kind: scan.String, prefix: "release/"},
	"workflow_run": {subject: "workflow_run.id", kind: scan.Number, prefix: "workflow_run/"},
	"check_run":    {subject: "check_run.id", kind: scan.Number, prefix: "check_run/"},
	"check_suite":  {subject: "check_suite.id", kind: scan.Number, prefix: "check_suite/"},

	"pull_request":      {subject: "number", kind: scan.Number, prefix: "pull/", action: "opened", minted: "pull_request.id"},
	"deployment_status": {subject: "deployment.id", kind: scan.Number, prefix: "deployment/", action: "created", minted: "deployment_status.id"},
	"status":            {subject: "sha", kind: scan.String, prefix: "status/", minted: "id"},

	"branch_protection_rule":      {action: "created", minted: "rule.id"},
	"commit_comment":              {action: "created", minted: "comment.id"},
	"deploy_key":                  {action: "created", minted: "key.id"},
	"deployment":                  {action: "created", minted: "deployment.id"},
	"discussion_comment":          {action: "created", minted: "comment.id"},
	"fork":                        {minted: "forkee.id"},
	"installation":                {action: "created", minted: "installation.id"},
	"issue_comment":               {action: "created", minted: "comment.id"},
	"issues":                      {action: "opened", minted: "issue.id", unless: "changes"},
	"label":                       {action: "created", minted: "label.id"},
	"milestone":                   {action: "created", minted: "milestone.id"},
	"project":                     {action: "created", minted: "project.id"},
	"project_card":                {action: "created", minted: "project_card.id"},
	"project_column":              {action: "created", minted: "project_column.id"},
	"projects_v2":                 {action: "created", minted: "projects_v2.id"},
	"projects_v2_status_update":   {action: "created", minted: "projects_v2_status_update.id"},
	"pull_request_review":         {action: "submitted", minted: "review.id"},
	"pull_request_review_comment": {action: "created", minted: "comment.id"},
	"repository_ruleset":          {action: "created", minted: "repository_ruleset.id"},
	"team":                        {action: "created", minted: "team.id"},
})

// unlisted is the watch of every other event, which has no key. It looks for a
// push under a wrong name.
var unlisted = watch{paths: scan.New(common...)}

// prepared sets types, paths and places once, so that no delivery pays for them.
func prepared(byEvent map[string]watch) map[string]watch {
	for event, w := range byEvent {
		w.typ = typeOf(event)
		paths := slices.Clone(common)
		place := func(path string) int {
			at := slices.Index(paths, path)
			if at < 0 && path != "" {
				at = len(paths)
				paths = append(paths, path)
			}
			return at
		}
		w.atSubject, w.atMinted, w.atUnless = place(w.subject), place(w.minted), place(w.unless)
		w.paths = scan.New(paths...)
		byEvent[event] = w
	}
	return byEvent
}

// once reports whether GitHub can send the body for one event only, so that a
// second one equal to the byte is the same event.
func (w watch) once(v values) bool {
	if isPush(v) {
		return true
	}
	if w.minted == "" || !isID(v[w.atMinted]) || !hasAction(v[atAction], w.action) {
		return false
	}
	return w.unless == "" || v[w.atUnless].Kind == scan.Absent
}

// isPush reports whether the body is that of a push, whatever the event's name,
// which is not signed, says. The commits alone may come again, as a branch can
// be forced back and forth; the repository's pushed_at then is another. It is a
// number in a push and a text in every other event.
func isPush(v values) bool {
	return v[atRef].Kind == scan.String && v[atBefore].Kind == scan.String && v[atAfter].Kind == scan.String &&
		isID(v[atPushedAt])
}

// isID reports whether v is a positive integer, as all ids and times of GitHub
// are.
func isID(v scan.Value) bool {
	if v.Kind != scan.Number {
		return false
	}
	id, err := strconv.ParseInt(string(v.Raw), 10, 64)
	return err == nil && id > 0
}

func hasAction(v scan.Value, action string) bool {
	if action == "" {
		return v.Kind == scan.Absent
	}
	var room [32]byte // more than the actions of watches take
	return v.Kind == scan.String && string(v.Append(room[:0])) == action
}

// key returns "owner/repo subject"; empty, which is unordered, where a part is
// missing or of another kind than the payload takes.
func (w watch) key(v values) string {
	if w.subject == "" {
		return ""
	}
	repository, subject := v[atRepository], v[w.atSubject]
	if repository.Kind != scan.String || subject.Kind != w.kind || w.kind == scan.Number && !isID(subject) {
		return ""
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
