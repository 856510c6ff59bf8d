package main

import (
	"context"
	"io"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// A line is the output for one handled delivery.
type line struct {
	Msg         string `json:"msg"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	ID          string `json:"id"`
	OrderingKey string `json:"ordering_key"`
	Attempt     int    `json:"attempt"`
	Summary     any    `json:"summary"`
}

// A printer writes one line for each delivery.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

// print prints one delivery. A program of your own does its work here; if it
// returns an error, the delivery is retried.
func (p *printer) print(ctx context.Context, d *webhook.Delivery, summary any) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	text, err := jsonLine(line{"delivery", d.Source, d.Type, d.ID, d.OrderingKey, claim.Attempt, summary})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err = p.w.Write(text)
	return err
}
