package dockerhub

import (
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/scan"
	"github.com/hookhouse/hookhouse/webhook"
)

// Indexes of the values that describe reads, in the order of paths.
const (
	atPushData = iota
	atTag
	atRepoName
	pathCount
)

var paths = scan.New("push_data", "push_data.tag", "repository.repo_name")

// describe is the Describe of the Sources. Docker Hub sends only one event, so
// a body that cannot be read has the type of a Push and is malformed.
func describe(r *http.Request, body []byte) webhook.Description {
	about := webhook.Description{DedupKeys: []string{}}
	var at [pathCount]scan.Value
	doc, err := (&webhook.Delivery{Source: sourceName, Header: r.Header, Body: body}).Document()
	if err == nil {
		err = paths.Scan(doc, at[:])
	}
	if err != nil {
		about.Type, about.Malformed = Push{}.EventType(), fmt.Errorf("dockerhub: %w", err)
		return about
	}
	if at[atPushData].Kind != scan.Object || at[atRepoName].Kind != scan.String {
		return about
	}
	about.Type = Push{}.EventType()
	if at[atTag].Kind == scan.String {
		about.OrderingKey = orderingKey(at[atRepoName].String(), at[atTag].String())
	}
	return about
}

// orderingKey returns "repoName:tag", or "" if either part is empty.
func orderingKey(repoName, tag string) string {
	if repoName == "" || tag == "" {
		return ""
	}
	return repoName + ":" + tag
}

// check reports whether describe can read the document unambiguously.
func check(document []byte) error {
	var at [pathCount]scan.Value
	if err := paths.Scan(document, at[:]); err != nil {
		return fmt.Errorf("dockerhub: %w", err)
	}
	return nil
}
