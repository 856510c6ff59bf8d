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

// describe is the Describe of the Sources. A body does not name its event, so
// describe determines it from the fields, which it reads as decoding does.
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
		about.OrderingKey = jobKey(siteInURL(r), doc.text(atJobName))
		end := doc.textNamed(atEndTime, "end_time")
		// An id is the time of the start, so runs of two jobs may have the same
		// id.
		if id := doc.text(atID); about.OrderingKey != "" && id != "" && isEndTime(end) {
			host := runHost(doc.text(atURL), doc.text(atOutputURL), doc.text(atErrorURL))
			about.DedupKeys = append(about.DedupKeys, dedupKey(about, host, id, strings.ToLower(doc.text(atStatus)), end))
		}
	case doc.isDeployment():
		about.Type = Deployment{}.EventType()
		about.OrderingKey = siteKey(doc.text(atHostName), siteInURL(r), doc.text(atSiteName))
		end := doc.text(atEndTime)
		if id := doc.text(atID); id != "" && isEndTime(end) {
			about.DedupKeys = append(about.DedupKeys, dedupKey(about, id, string(doc.status()), end))
			about.DedupKeys = append(about.DedupKeys, doc.siteDedupKeys(about.Type, id, end)...)
		}
	}
	return about
}

// isJob reports whether the document is a run of a job: it has a job_name or,
// if that is missing, an id and a field that only a run has. The id and the
// name of a run are equal.
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

// isDeployment reports whether a document that is not a run of a job is a
// deployment. One field that only a deployment has is sufficient, so that any
// other field may be missing.
func (d *document) isDeployment() bool {
	for _, at := range deploymentOnly {
		if d.has(at) {
			return true
		}
	}
	status := d[atStatus].Kind
	return d[atID].Kind == scan.String && (status == scan.String || status == scan.Number)
}

// deploymentOnly lists the fields that no other known event has.
var deploymentOnly = [...]int{
	atSiteName, atReceivedTime, atStatusText, atAuthorEmail, atDeployer, atLastSuccessEndTime, atIsTemporary,
	atIsReadOnly, atHostName, atProjectType, atVSProjectID, atLogURL, atProvisioningState,
}

// dedupKey joins the type, the ordering key and parts. Parts include the
// status, because the same id with another status is a new event even at the
// same time.
func dedupKey(about webhook.Description, parts ...string) string {
	return strings.Join(append([]string{about.Type, about.OrderingKey}, parts...), " ")
}

// siteDedupKeys returns the dedup key of a deployment that does not depend on
// the host, none if a part of it is missing. /api/deployments does not list the
// host, and when slots are swapped their deployments move too. Two slots may
// have deployments with the same site name, id and end, but not with the same
// three times, each exact to 100 ns. The status is a part for the same reason as
// in dedupKey.
func (d *document) siteDedupKeys(typ, id, end string) []string {
	site, received, start := d.text(atSiteName), d.text(atReceivedTime), d.text(atStartTime)
	if site == "" || !isEndTime(received) || !isEndTime(start) {
		return nil
	}
	return []string{strings.Join([]string{typ, "of", strings.ToLower(site), id, string(d.status()), received, start, end}, " ")}
}

// isEndTime reports whether text is set. .NET writes a time that was never set
// as year 1.
func isEndTime(text string) bool {
	return text != "" && strings.TrimSuffix(text, "Z") != "0001-01-01T00:00:00"
}

// siteKey returns the ordering key of a deployment: the first of the host name,
// which identifies a slot, the site named in the hook's URL, and the site name,
// which all slots share.
func siteKey(hostName, siteInURL, siteName string) string {
	return strings.ToLower(cmp.Or(hostName, siteInURL, siteName))
}

// jobKey returns the ordering key of a job: its name, preceded by the site
// named in the hook's URL, if any. The host of the run's URL is not part of it,
// because it is not always present and is the one by which Kudu was last
// called.
func jobKey(siteInURL, jobName string) string {
	if siteInURL == "" || jobName == "" {
		return strings.ToLower(jobName)
	}
	return siteInURL + " " + strings.ToLower(jobName)
}

// runHost returns the host of the first of a run's URLs that has one.
func runHost(urls ...string) string {
	for _, text := range urls {
		if host := hostOf(text); host != "" {
			return host
		}
	}
	return ""
}

// hostOf returns the host of a URL in lower case, or "" if it has none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// check reports whether describe can read the document unambiguously.
func check(document []byte) error {
	if _, err := read(document); err != nil {
		return fmt.Errorf("kudu: %w", err)
	}
	return nil
}
