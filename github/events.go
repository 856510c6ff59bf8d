package github

import (
	"slices"
	"strconv"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// Indexes of the values that describe reads from every body, in the order of
// commonPaths.
const (
	atRepository = iota
	atRef
	atBefore
	atAfter
	atPushedAt
	atAction
)

var commonPaths = []string{"repository.full_name", "ref", "before", "after", "repository.pushed_at", "action"}

// values holds the values at the paths of an eventRule: the common ones and up
// to three of its own. It is passed by value to stay on the stack.
type values [9]scan.Value

// An eventRule determines the ordering key of an event's deliveries, and
// whether their signature is a dedup key.
type eventRule struct {
	typ   string // Type of the deliveries
	paths *scan.Paths

	// The ordering key is the repository's name, a space, prefix and the value
	// at the path subject. The kind of the value is String or Number, as the
	// payload decodes it. If subject is empty, the event has no ordering key.
	subject string
	kind    scan.Kind
	prefix  string

	// The path newID leads to the id of an object that GitHub creates for this
	// one event, provided that the body has this action (or none, if action is
	// empty) and no value at the path mustLack. If newID is empty, the
	// signature is a dedup key only of a body that is a push; see isPush.
	newID    string
	action   string
	mustLack string

	atSubject, atNewID, atMustLack int // indexes in values; -1 for an empty path
}

// eventRules has the events with an ordering key, a dedup key by the signature,
// or both. No two events share an ordering key, because a delivery that nobody
// handles would block the other event's deliveries indefinitely. The package
// comment lists the dedup keys and the condition for them.
var eventRules = prepared(map[string]eventRule{
	"push":         {subject: "ref", kind: scan.String},
	"create":       {subject: "ref", kind: scan.String, prefix: "create/"},
	"delete":       {subject: "ref", kind: scan.String, prefix: "delete/"},
	"release":      {subject: "release.tag_name", kind: scan.String, prefix: "release/"},
	"workflow_run": {subject: "workflow_run.id", kind: scan.Number, prefix: "workflow_run/"},
	"check_run":    {subject: "check_run.id", kind: scan.Number, prefix: "check_run/"},
	"check_suite":  {subject: "check_suite.id", kind: scan.Number, prefix: "check_suite/"},

	"pull_request":      {subject: "number", kind: scan.Number, prefix: "pull/", action: "opened", newID: "pull_request.id"},
	"deployment_status": {subject: "deployment.id", kind: scan.Number, prefix: "deployment/", action: "created", newID: "deployment_status.id"},
	"status":            {subject: "sha", kind: scan.String, prefix: "status/", newID: "id"},

	"branch_protection_rule":      {action: "created", newID: "rule.id"},
	"commit_comment":              {action: "created", newID: "comment.id"},
	"deploy_key":                  {action: "created", newID: "key.id"},
	"deployment":                  {action: "created", newID: "deployment.id"},
	"discussion_comment":          {action: "created", newID: "comment.id"},
	"fork":                        {newID: "forkee.id"},
	"installation":                {action: "created", newID: "installation.id"},
	"issue_comment":               {action: "created", newID: "comment.id"},
	"issues":                      {action: "opened", newID: "issue.id", mustLack: "changes"},
	"label":                       {action: "created", newID: "label.id"},
	"milestone":                   {action: "created", newID: "milestone.id"},
	"project":                     {action: "created", newID: "project.id"},
	"project_card":                {action: "created", newID: "project_card.id"},
	"project_column":              {action: "created", newID: "project_column.id"},
	"projects_v2":                 {action: "created", newID: "projects_v2.id"},
	"projects_v2_status_update":   {action: "created", newID: "projects_v2_status_update.id"},
	"pull_request_review":         {action: "submitted", newID: "review.id"},
	"pull_request_review_comment": {action: "created", newID: "comment.id"},
	"repository_ruleset":          {action: "created", newID: "repository_ruleset.id"},
	"team":                        {action: "created", newID: "team.id"},
})

// defaultRule is the rule of every other event. It has no ordering key, and
// detects a push under another event's name.
var defaultRule = eventRule{paths: scan.New(commonPaths...)}

// prepared sets the types, paths and indexes of the rules, once for all
// deliveries.
func prepared(rules map[string]eventRule) map[string]eventRule {
	for event, rule := range rules {
		rule.typ = typeOf(event)
		paths := slices.Clone(commonPaths)
		index := func(path string) int {
			at := slices.Index(paths, path)
			if at < 0 && path != "" {
				at = len(paths)
				paths = append(paths, path)
			}
			return at
		}
		rule.atSubject, rule.atNewID, rule.atMustLack = index(rule.subject), index(rule.newID), index(rule.mustLack)
		rule.paths = scan.New(paths...)
		rules[event] = rule
	}
	return rules
}

// dedupBySignature reports whether GitHub can send this body for one event
// only, so that a second delivery with the same bytes is a duplicate.
func (rule eventRule) dedupBySignature(v values) bool {
	if isPush(v) {
		return true
	}
	if rule.newID == "" || !isID(v[rule.atNewID]) || !hasAction(v[atAction], rule.action) {
		return false
	}
	return rule.mustLack == "" || v[rule.atMustLack].Kind == scan.Absent
}

// isPush reports whether the body is a push. It ignores the event's name, which
// is not signed. The same commits may be pushed again, since a branch can be
// forced back and forth, but then the repository's pushed_at differs. It is a
// number in a push and a string in every other event.
func isPush(v values) bool {
	return v[atRef].Kind == scan.String && v[atBefore].Kind == scan.String && v[atAfter].Kind == scan.String &&
		isID(v[atPushedAt])
}

// isID reports whether v is a positive integer, as all ids and numeric times of
// GitHub are.
func isID(v scan.Value) bool {
	if v.Kind != scan.Number {
		return false
	}
	id, err := strconv.ParseInt(string(v.Raw), 10, 64)
	return err == nil && id > 0
}

// hasAction reports whether v is the given action, or absent if action is
// empty.
func hasAction(v scan.Value, action string) bool {
	if action == "" {
		return v.Kind == scan.Absent
	}
	var room [32]byte // longer than every action in eventRules
	return v.Kind == scan.String && string(v.Append(room[:0])) == action
}

// orderingKey returns "owner/repo prefix+subject", or "" if either value is
// missing or has another kind than the payload decodes.
func (rule eventRule) orderingKey(v values) string {
	if rule.subject == "" {
		return ""
	}
	repository, subject := v[atRepository], v[rule.atSubject]
	if repository.Kind != scan.String || subject.Kind != rule.kind || rule.kind == scan.Number && !isID(subject) {
		return ""
	}
	var room [128]byte // longer than most keys
	key := repository.Append(room[:0])
	if len(key) == 0 {
		return ""
	}
	key = append(append(key, ' '), rule.prefix...)
	empty := len(key)
	if key = subject.Append(key); len(key) == empty {
		return ""
	}
	return string(key)
}
