package inspect

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

// A known is the JSON of what the inspector knows about a delivery beside what is stored.
type known struct {
	Summary string `json:"summary,omitempty"`
	// Calls are those that became the delivery or were duplicates of it, oldest first, as far
	// as they are kept.
	Calls []callRecord `json:"calls,omitempty"`
	// LikelySupersededBy is the next of its burst if the delivery was superseded, and
	// LikelySuperseded are the UIDs of those before it which were. An inbox does not record
	// which delivery superseded which.
	LikelySupersededBy string   `json:"likely_superseded_by,omitempty"`
	LikelySuperseded   []string `json:"likely_superseded,omitempty"`
}

// add adds what the ring of calls and the neighbors of a delivery say.
func (k *known) add(in *Inspector, r webhook.Record, n neighbors) {
	for _, call := range in.calls.of(r.Delivery.UID) {
		k.Calls = append(k.Calls, call.record())
	}
	if r.State == webhook.Superseded {
		for _, other := range n.newer { // newest first: the last one is the next
			if other.Delivery.Type == r.Delivery.Type {
				k.LikelySupersededBy = other.Delivery.UID
			}
		}
	}
	if r.Delivery.Coalesce == (webhook.Coalesce{}) {
		return
	}
	for _, other := range n.older {
		if other.Delivery.Type != r.Delivery.Type {
			continue
		}
		if other.State != webhook.Superseded {
			return
		}
		k.LikelySuperseded = append(k.LikelySuperseded, other.Delivery.UID)
	}
}

// burst returns the neighbors of a delivery that may belong to a burst.
func (in *Inspector) burst(ctx context.Context, r webhook.Record) (neighbors, error) {
	if r.State != webhook.Superseded && r.Delivery.Coalesce == (webhook.Coalesce{}) {
		return neighbors{}, nil
	}
	return in.neighbors(ctx, r)
}

// maxSummarized is the largest body that is summarized, and maxSummary the longest summary.
const (
	maxSummarized = maxPretty
	maxSummary    = 300
)

// summary returns the line that says what a delivery is about, or an empty text.
func (in *Inspector) summary(d *webhook.Delivery) (line string) {
	if in.Summarize == nil || len(d.Body) > maxSummarized {
		return ""
	}
	defer func() {
		if p := recover(); p != nil {
			in.logger().Error("inspector: Summarize panicked", "type", d.Type, "panic", p)
			line = ""
		}
	}()
	return clip(in.Summarize(d), maxSummary)
}
