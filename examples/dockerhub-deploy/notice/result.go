package notice

import (
	"fmt"
	"strings"
)

// The values of Result.Outcome. They are stored, and are labels of the metrics.
const (
	Deployed   = "deployed"
	Unchanged  = "unchanged" // the target runs the image, or a newer one; nobody is notified
	RolledBack = "rolled back"
	Failed     = "failed"
	Denied     = "denied"  // the registry denies the image; the order waits
	Allowed    = "allowed" // it does not any more, and nothing was to be done
)

// A Result is the outcome of one attempt to deploy. Its JSON is stored, and is what the
// channels of [NewURL] and [NewExec] get.
type Result struct {
	Target  string `json:"target"`
	Rule    string `json:"rule"`
	Image   string `json:"image"`
	Digest  string `json:"digest,omitempty"` // empty if the registry has not been asked
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"` // of a failure
	Seconds int    `json:"seconds"`
}

// maxSlackText is the largest size in bytes of a message, before it is escaped.
const maxSlackText = 2000

// slackText returns a message for Slack, with the three characters escaped that Slack
// interprets: https://docs.slack.dev/messaging/formatting-message-text
func (r Result) slackText() string {
	sign := map[string]string{Deployed: ":white_check_mark:", RolledBack: ":warning:", Failed: ":x:", Denied: ":no_entry:", Allowed: ":white_check_mark:"}[r.Outcome]
	text := fmt.Sprintf("%s %s: %s %s", sign, r.Target, r.Outcome, r.Image)
	if r.Reason != "" {
		text += "\n" + r.Reason
	}
	text = strings.ToValidUTF8(text[:min(len(text), maxSlackText)], "")
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
