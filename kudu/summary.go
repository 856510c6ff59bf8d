package kudu

import (
	"encoding/json"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Summary returns a line for people that says what a delivery of Kudu is about, such as
// "deployment 9f3c1d7 of app.scm.azurewebsites.net: success, by jane". It returns an empty
// text for a delivery of another type, and for one whose body cannot be read. The sender
// chooses parts of the text: it may have any characters.
func Summary(d *webhook.Delivery) string {
	switch d.Type {
	case Deployment{}.EventType():
		var p Deployment
		if json.Unmarshal(d.Body, &p) != nil {
			return ""
		}
		line := fmt.Sprintf("deployment %.12s of %s: %s", p.ID, p.Site(), p.Status)
		if p.Author != "" {
			line += ", by " + p.Author
		}
		return line
	case TriggeredJobRun{}.EventType():
		var p TriggeredJobRun
		if json.Unmarshal(d.Body, &p) != nil {
			return ""
		}
		return fmt.Sprintf("run of the job %s: %s", p.JobName, p.Status)
	}
	return ""
}
