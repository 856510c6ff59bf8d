package kudu

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/internal/scan"
	"github.com/hookhouse/hookhouse/webhook"
)

// describe tells the two events apart by their fields, which it reads as
// decoding does.
func describe(r *http.Request, body []byte) webhook.Description {
	about := webhook.Description{DedupKeys: []string{}}
	doc, err := read(body)
	if err != nil {
		about.Type, about.Malformed = Deployment{}.EventType(), fmt.Errorf("kudu: %w", err)
		if bytes.Contains(body, []byte(`"job_name"`)) {
			about.Type = TriggeredJobRun{}.EventType()
		}
		return about
	}
	switch {
	case doc.isJob():
		about.Type = TriggeredJobRun{}.EventType()
		about.OrderingKey = jobKey(siteOf(r), doc.text(atJobName))
		end := doc.textAs(atEndTime, "end_time")
		// Runs of two jobs may have the same id, which is a time.
		if id := doc.text(atID); about.OrderingKey != "" && id != "" && isEnd(end) {
			host := runHost(doc.text(atURL), doc.text(atOutputURL), doc.text(atErrorURL))
			about.DedupKeys = append(about.DedupKeys, dedupKey(about, host, id, strings.ToLower(doc.text(atStatus)), end))
		}
	case doc.isDeployment():
		about.Type = Deployment{}.EventType()
		about.OrderingKey = site(doc.text(atHostName), siteOf(r), doc.text(atSiteName))
		end := doc.text(atEndTime)
		if id := doc.text(atID); id != "" && isEnd(end) {
			about.DedupKeys = append(about.DedupKeys, dedupKey(about, id, string(doc.status()), end))
		}
	}
	return about
}

// isJob reports whether the document is a run of a job: it names the job or,
// where that is missing, has an id and what only a run has. Name and id of a run
// are the same.
func (d *document) isJob() bool {
	id := d.text(atID)
	switch {
	case d.has(atJobName):
		return true
	case id == "" || d.has(atSiteName) || d.has(atReceivedTime):
		return false
	default:
		return d.has(atDuration) || d.has(atTrigger) || d.has(atOutputURL) || d.has(atErrorURL) || d.text(atName) == id
	}
}

// isDeployment reports whether a document that is no run of a job is a
// deployment: one field that only a deployment has is enough, so that any other
// may be missing.
func (d *document) isDeployment() bool {
	for _, at := range deploymentAlone {
		if d.has(at) {
			return true
		}
	}
	status := d[atStatus].Kind
	return d[atID].Kind == scan.String && (status == scan.String || status == scan.Number)
}

// deploymentAlone are the fields whose names no other event is known to have.
var deploymentAlone = [...]int{
	atSiteName, atReceivedTime, atStatusText, atAuthorEmail, atDeployer, atLastSuccessEndTime, atIsTemporary,
	atIsReadOnly, atHostName, atProjectType, atVSProjectID, atLogURL, atProvisioningState,
}

// dedupKey joins what makes a second delivery the same event. The status is
// part of it: an id that has got another status is news, whatever its time.
func dedupKey(about webhook.Description, parts ...string) string {
	return strings.Join(append([]string{about.Type, about.OrderingKey}, parts...), " ")
}

// isEnd reports whether text can be the time at which something ended. One that
// was never set is none: .NET writes year 1.
func isEnd(text string) bool {
	return text != "" && strings.TrimSuffix(text, "Z") != "0001-01-01T00:00:00"
}

// siteOf returns the site that the URL of a call names, empty where it names
// none.
func siteOf(r *http.Request) string {
	name := r.PathValue("site")
	if name == "" && r.URL != nil && r.URL.RawQuery != "" {
		name = r.URL.Query().Get("site")
	}
	return strings.ToLower(name)
}

// site names a slot by its host. Where no host is told it is what the call says,
// and else the whole site.
func site(hostName, named, siteName string) string {
	return strings.ToLower(cmp.Or(hostName, named, siteName))
}

// jobKey names a job: by its name, behind that of the site if the call has told
// it. The host of the run's URL has no part in it, because it is not always
// told, and is the one that Kudu itself was last called by.
func jobKey(named, jobName string) string {
	if named == "" || jobName == "" {
		return strings.ToLower(jobName)
	}
	return named + " " + strings.ToLower(jobName)
}

// runHost returns the host in the first of the URLs of a run that has one.
func runHost(urls ...string) string {
	for _, text := range urls {
		if host := hostOf(text); host != "" {
			return host
		}
	}
	return ""
}

// hostOf returns the host of a URL in lower case, empty where there is none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// Check refuses a document in which the name of a field stands twice, in two
// spellings or in another case. It makes Deployment a [webhook.Checker].
func (Deployment) Check(document []byte) error { return check(document) }

// Check refuses what [Deployment.Check] refuses. It makes TriggeredJobRun a
// [webhook.Checker].
func (TriggeredJobRun) Check(document []byte) error { return check(document) }

func check(document []byte) error {
	if _, err := read(document); err != nil {
		return fmt.Errorf("kudu: %w", err)
	}
	return nil
}
