package jobserv

import (
	"encoding/json"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Summary returns a line for people that says what a delivery of JobServ is about, such as
// "build 41 of acme/app: PASSED, 3 of 3 runs passed". It returns an empty text for a delivery
// of another type, and for one whose body cannot be read. The sender chooses parts of the
// text: it may have any characters.
func Summary(d *webhook.Delivery) string {
	if d.Type != eventType {
		return ""
	}
	var b Build
	if json.Unmarshal(d.Body, &b) != nil {
		return ""
	}
	passed := 0
	for _, r := range b.Runs {
		if r.Passed() {
			passed++
		}
	}
	return fmt.Sprintf("build %d of %s: %s, %d of %d runs passed", b.BuildID, b.Project(), b.Result(), passed, len(b.Runs))
}
