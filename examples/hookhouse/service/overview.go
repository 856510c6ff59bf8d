package service

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Overview returns the numbers of the service. readOnly is true if it refuses every act.
func (c *Client) Overview(ctx context.Context) (o webhook.Overview, readOnly bool, err error) {
	text, err := c.bytesOf(ctx, http.MethodGet, "api/overview", nil, nil)
	if err != nil {
		return o, false, err
	}
	var said struct {
		Count map[webhook.State]struct {
			N    int  `json:"n"`
			More bool `json:"more"`
		} `json:"count"`
		Oldest    map[string]float64 `json:"oldest_seconds"`
		Unhandled []string           `json:"unhandled"`
		Paused    []struct {
			Type string    `json:"type"`
			By   string    `json:"by"`
			Why  string    `json:"why"`
			At   time.Time `json:"at"`
		} `json:"paused"`
		ReadOnly bool `json:"read_only"`
	}
	if err := json.Unmarshal(text, &said); err != nil || said.Count == nil {
		return o, false, fmt.Errorf("%w: its overview is not JSON of the documented form", ErrNotInspector)
	}
	o = webhook.Overview{Count: make(map[webhook.State]webhook.Count), Oldest: make(map[string]time.Duration), Unhandled: said.Unhandled}
	for s, n := range said.Count {
		o.Count[s] = webhook.Count{N: n.N, More: n.More}
	}
	for typ, seconds := range said.Oldest {
		o.Oldest[typ] = time.Duration(min(seconds, math.MaxInt64/2e9) * float64(time.Second))
	}
	for _, p := range said.Paused {
		o.Paused = append(o.Paused, webhook.Pause{Type: p.Type, Note: webhook.Note{By: p.By, Why: p.Why}, At: p.At})
	}
	return o, said.ReadOnly, nil
}
