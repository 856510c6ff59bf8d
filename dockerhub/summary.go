package dockerhub

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook"
)

// Summary returns a line for people that says what a delivery of Docker Hub is about, such as
// "push of acme/app:1.4.0 by jane". It returns an empty text for a delivery of another type,
// and for one whose body cannot be read. The sender chooses parts of the text: it may have any
// characters.
func Summary(d *webhook.Delivery) string {
	if d.Type != (Push{}).EventType() {
		return ""
	}
	doc, err := d.Document()
	if err != nil {
		return ""
	}
	var p Push
	if json.Unmarshal(doc, &p) != nil || p.Image() == "" {
		return ""
	}
	line := "push of " + p.Image()
	if p.PushData.Pusher != "" {
		line += " by " + p.PushData.Pusher
	}
	return line
}
