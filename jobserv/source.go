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

const (
	sourceName = "jobserv"
	eventType  = "jobserv.build"

	signatureHeader = "X-JobServ-Sig"
	signaturePrefix = "sha256:" // a colon (JobServ: notify.py)
)

// maxBody is 17 MiB. The annotation of a build is a MEDIUMTEXT column, up to
// 16 MiB; all else of a body stays well under 1 MiB. JobServ cannot send a build
// again, so what it can store is let in. Only an annotation of which much has to
// be escaped could still be larger.
const maxBody = 17 << 20

// Source returns JobServ as a source: named "jobserv", bodies in JSON of at most
// 17 MiB, signed with one of the given secrets. Set MaxBody lower where nobody
// writes long annotations.
//
// The Type of each delivery is "jobserv.build". Its ordering key is the
// project. JobServ sends no id: a repeated delivery is known by its signature,
// where the body tells when the build was completed.
func Source(secrets ...webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:         sourceName,
		MaxBody:      maxBody,
		ContentTypes: []string{"application/json"},
		Verifier:     Verifier(webhook.Keys(secrets...)...),
		Describe:     describe,
	}
}

// Verifier returns the verifier of [Source], for keys with labels and for
// sources put together by hand.
func Verifier(keys ...webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{Header: signatureHeader, Prefix: signaturePrefix, Keys: keys}
}

// Middleware lets only genuine notifications through to a handler of the
// user's own. See [webhook.Source.Middleware]. It panics when applied if no
// secret is given or one is empty.
func Middleware(secrets ...webhook.Secret) func(http.Handler) http.Handler {
	return Source(secrets...).Middleware
}

// Sign returns the X-JobServ-Sig header with which JobServ would send body. It
// is empty for an empty secret, with which JobServ sends nothing.
func Sign(secret webhook.Secret, body []byte) string {
	r := &http.Request{Header: make(http.Header)}
	if err := Verifier(webhook.Key{Secret: secret}).Sign(r, body); err != nil {
		return ""
	}
	return r.Header.Get(signatureHeader)
}

// routed are the members that tell the project, and the one that makes a body
// unique, in the order of inspect.
var routed = scan.New("url", "project_name", "build_url", "completed")

var errNotObject = errors.New("document is not an object")

// describe is the Describe of Source. JobServ sends one kind of event, so the
// type is told even of a body that is malformed.
//
// A body without the time of completion is that of the first shape. It has
// nothing that changes when a run is run again and ends as before, so the same
// bytes may be news. A malformed body is no news twice.
func describe(_ *http.Request, body []byte) webhook.Description {
	project, completed, err := inspect(body)
	return webhook.Description{
		Type:             eventType,
		OrderingKey:      project,
		DedupKeys:        []string{},
		DedupBySignature: completed || err != nil,
		Malformed:        err,
	}
}

// inspect reads in one pass the project and whether the build tells when it was
// completed. It refuses a document in which either could be read in two ways.
func inspect(document []byte) (project string, completed bool, err error) {
	var values [4]scan.Value
	if err := routed.Scan(document, values[:]); err != nil {
		return "", false, err
	}
	if start := bytes.TrimLeft(document, " \t\r\n"); start[0] != '{' {
		return "", false, errNotObject
	}
	at := values[3]
	completed = (at.Kind == scan.String || at.Kind == scan.Number) && at.String() != ""
	return projectOf(text(values[0]), text(values[1]), text(values[2])), completed, nil
}

// text leaves numbers out, which would not decode either.
func text(v scan.Value) string {
	if v.Kind != scan.String {
		return ""
	}
	return v.String()
}

// projectOf returns the project that a build belongs to. Since 2021-03 its name
// is found in the URL of the build alone; the first shape had it in a member.
func projectOf(buildURL, name, firstURL string) string {
	for _, project := range []string{projectIn(buildURL), name, projectIn(firstURL)} {
		if project != "" {
			return project
		}
	}
	return ""
}

// projectIn returns what stands between /projects/ and /builds/ in the path of a
// URL, such as "acme/lmp". The host is whatever the server was called by, so it
// is not looked at.
func projectIn(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	_, rest, ok := strings.Cut(u.Path, "/projects/")
	if !ok {
		return ""
	}
	end := strings.LastIndex(rest, "/builds/")
	if end < 0 {
		return ""
	}
	return strings.Trim(rest[:end], "/")
}
