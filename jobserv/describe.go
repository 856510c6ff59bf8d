package jobserv

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/internal/scan"
	"github.com/hookhouse/hookhouse/webhook"
)

// Indexes of the values that inspect reads, in the order of paths.
const (
	atURL = iota
	atProjectName
	atBuildURL
	atCompleted
	pathCount
)

var paths = scan.New("url", "project_name", "build_url", "completed")

var errNotObject = errors.New("document is not an object")

// describe is the Describe of Source. JobServ sends only one event, so a
// malformed body has its type too.
//
// A body of the first shape has no time of completion. If a run is run again
// and ends as before, JobServ sends the same bytes for a new result, so such a
// body is not deduplicated by its signature. A malformed body is.
func describe(_ *http.Request, body []byte) webhook.Description {
	about, err := inspect(body)
	return webhook.Description{
		Type:             eventType,
		OrderingKey:      about.project,
		DedupKeys:        about.dedupKeys(),
		DedupBySignature: about.completed != nil || err != nil,
		Malformed:        err,
	}
}

// A summary is what inspect reads of a build.
type summary struct {
	project   string
	url       string // of the build in the API
	completed []byte // the token of the time of completion; nil if there is none
}

// inspect returns the summary of a build. It returns an error if a part of it is
// ambiguous.
func inspect(document []byte) (summary, error) {
	var at [pathCount]scan.Value
	if err := paths.Scan(document, at[:]); err != nil {
		return summary{}, err
	}
	if start := bytes.TrimLeft(document, " \t\r\n"); start[0] != '{' {
		return summary{}, errNotObject
	}
	about := summary{url: text(at[atURL])}
	about.project = projectOf(about.url, text(at[atProjectName]), text(at[atBuildURL]))
	if end := at[atCompleted]; (end.Kind == scan.String || end.Kind == scan.Number) && end.String() != "" {
		about.completed = end.Raw
	}
	return about, nil
}

// text returns the value of a string and "" for any other value, which would
// not decode into a Build either.
func text(v scan.Value) string {
	if v.Kind != scan.String {
		return ""
	}
	return v.String()
}

// projectOf returns the project of a build. Since 2021-03 only the path of url
// contains it; the first shape has project_name and build_url instead.
func projectOf(buildURL, projectName, firstURL string) string {
	for _, project := range []string{projectIn(buildURL), projectName, projectIn(firstURL)} {
		if project != "" {
			return project
		}
	}
	return ""
}

// projectIn returns the part between /projects/ and /builds/ in the path of a
// URL, such as "acme/lmp". It ignores the host, which is the one that the
// server was called by.
func projectIn(text string) string {
	project, _ := buildIn(text)
	return project
}

// buildIn returns the project in the path of a URL, and what follows /builds/,
// which is the number of the build in the URL of one.
func buildIn(text string) (project, build string) {
	u, err := url.Parse(text)
	if err != nil {
		return "", ""
	}
	_, rest, ok := strings.Cut(u.Path, "/projects/")
	if !ok {
		return "", ""
	}
	const builds = "/builds/"
	end := strings.LastIndex(rest, builds)
	if end < 0 {
		return "", ""
	}
	return strings.Trim(rest[:end], "/"), strings.Trim(rest[end+len(builds):], "/")
}
