package kudu

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody has room for a long commit message; everything else is short.
const maxBody = 1 << 20

// Source returns the Source for calls whose URL holds one of the tokens: as
// the wildcard {token} of a ServeMux pattern, or as the query parameter token.
// Several are live at once while one is rotated. NewReceiver and Middleware
// panic where there is none or one is empty.
func Source(tokens ...webhook.Secret) webhook.Source {
	return source(webhook.NewURLToken(webhook.Keys(tokens...)...))
}

// BasicSource returns the Source for calls with one of the passwords in HTTP
// Basic authentication, under any user name. It answers calls without
// credentials with the challenge that Kudu waits for. The hook's URL needs
// user name and password, the password must not have a colon, and neither is
// percent-decoded: use letters and digits.
func BasicSource(passwords ...webhook.Secret) webhook.Source {
	return source(&webhook.BasicAuth{Realm: "kudu", Keys: webhook.Keys(passwords...)})
}

// Middleware lets only calls with one of the tokens through; see
// [webhook.Source.Middleware]. The func that it returns panics where
// NewReceiver does.
func Middleware(tokens ...webhook.Secret) func(http.Handler) http.Handler {
	return Source(tokens...).Middleware
}

func source(v webhook.Verifier) webhook.Source {
	return webhook.Source{
		Name:         "kudu",
		MaxBody:      maxBody,
		ContentTypes: []string{"application/json"},
		Verifier:     v,
		Describe:     describe,
	}
}

// describe tells the two events apart by their fields, which it reads as
// decoding does.
func describe(_ *http.Request, body []byte) webhook.Description {
	about := webhook.Description{Unique: []string{}}
	doc, err := read(body)
	if err != nil {
		about.Type, about.Malformed = Deployment{}.EventType(), fmt.Errorf("kudu: %w", err)
		if bytes.Contains(body, []byte(`"job_name"`)) {
			about.Type = TriggeredJobRun{}.EventType()
		}
		return about
	}
	var id, end string
	switch {
	case doc.has(atJobName):
		about.Type = TriggeredJobRun{}.EventType()
		about.Key = jobKey(doc.text(atURL), doc.text(atJobName))
		id, end = doc.text(atID), doc.textAs(atEndTime, "end_time")
	case doc.has(atSiteName), doc.has(atReceivedTime):
		about.Type = Deployment{}.EventType()
		about.Key = site(doc.text(atHostName), doc.text(atSiteName))
		id, end = doc.text(atID), doc.text(atEndTime)
	}
	if about.Key != "" && id != "" && end != "" && strings.TrimSuffix(end, "Z") != noTime {
		about.Unique = append(about.Unique, about.Type+" "+about.Key+" "+id+" "+end)
	}
	return about
}

// noTime is how .NET writes a time that was never set.
const noTime = "0001-01-01T00:00:00"

// site names a slot by its host, a whole site where no host is told.
func site(hostName, siteName string) string {
	if hostName != "" {
		return hostName
	}
	return siteName
}

// jobKey names a job: the same name may stand on many sites.
func jobKey(runURL, jobName string) string {
	host := hostOf(runURL)
	if host == "" || jobName == "" {
		return jobName
	}
	return host + " " + jobName
}

// hostOf returns the host of a URL, empty where there is none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
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
