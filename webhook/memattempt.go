package webhook

import (
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// addFailed keeps the run of a claim that is being settled as a failed attempt, if
// it is one. Call it before the record is settled.
func (m *MemInbox) addFailed(rec *memRecord, o Outcome, state State, now time.Time) {
	if o.State == Dead || o.State == Waiting && !o.Uncounted {
		m.addAttempt(rec, Attempt{State: state, Reason: clipReason(o.Reason)}, now)
	}
}

// addLost keeps the run of a claim that is lost as an attempt. Call it before the
// next claim of the record.
func (m *MemInbox) addLost(rec *memRecord, state State, now time.Time) {
	m.addAttempt(rec, Attempt{State: state, Lost: true}, now)
}

// addAttempt completes an attempt from the last claim of rec and keeps it, if it
// was counted.
func (m *MemInbox) addAttempt(rec *memRecord, a Attempt, now time.Time) {
	if !rec.isCounted() {
		return
	}
	a.Number, a.By = rec.attempt, rec.claimed.by
	a.At, a.Took = rec.claimed.at, now.Sub(rec.claimed.at)
	m.history.add(&rec.attempts, a, len(a.Reason)+len(a.By))
}

// clipName returns the first 255 bytes of a text, less what is not valid UTF-8.
func clipName(text string) string {
	text = cleanText(text)
	return strings.ToValidUTF8(text[:min(len(text), limit.Name)], "")
}
