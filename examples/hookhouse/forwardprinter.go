package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/forward"
)

// A forwardPrinter prints what comes of the deliveries that are forwarded.
type forwardPrinter struct {
	*printer
	accepted, refused, dropped int
	hinted                     map[string]bool
}

// A forwarded is the JSON of a delivery that was forwarded, or not.
type forwarded struct {
	UID        string    `json:"uid"`
	Seq        int64     `json:"seq"`
	Source     string    `json:"source"`
	ID         string    `json:"id,omitempty"`
	Type       string    `json:"type"`
	Key        string    `json:"key,omitempty"`
	ReceivedAt time.Time `json:"received_at"` // by the service
	Size       int64     `json:"size"`
	Sender     string    `json:"sender,omitempty"` // as which it was signed
	Status     int       `json:"status,omitempty"`
	TookMS     float64   `json:"took_ms,omitempty"`
	Answer     *answer   `json:"answer,omitempty"`  // of a target that uses Hookhouse
	Dropped    string    `json:"dropped,omitempty"` // why it was not sent
	Error      string    `json:"error,omitempty"`   // why there was no answer
}

const forwardFormat = "%-32s  %-20s  %-22s  %-30s  %s\n"

// event prints a delivery on one line.
func (p *forwardPrinter) event(e forward.Event) error {
	first := p.accepted+p.refused+p.dropped == 0
	switch {
	case e.OK():
		p.accepted++
	case e.Dropped != "":
		p.dropped++
	default:
		p.refused++
	}
	d := e.Delivery
	out := forwarded{
		UID: d.UID, Seq: e.Seq, Source: d.Source, ID: d.ID, Type: d.Type, Key: d.OrderingKey, ReceivedAt: d.ReceivedAt.UTC(), Size: e.Size,
		Sender: e.Sender, Status: e.Status, TookMS: float64(e.Took.Microseconds()) / 1000, Dropped: e.Dropped,
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	if said := new(answer); json.Unmarshal(e.Answer, said) == nil && said.UID != "" {
		out.Answer = said
	}
	defer p.hint(e)
	if p.json {
		return p.object(out)
	}
	if first {
		if _, err := fmt.Fprintf(p, forwardFormat, "UID", "STATUS", "TYPE", "ORDERING KEY", "ANSWER"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p, forwardFormat, clean(d.UID), out.status(), orDash(d.Type), orDash(d.OrderingKey), out.comment())
	return err
}

// status is the second column of a line.
func (f forwarded) status() string {
	switch {
	case f.Dropped != "":
		return "not sent"
	case f.Status == 0:
		return "no answer"
	}
	return strings.TrimSpace(fmt.Sprint(f.Status, " ", http.StatusText(f.Status)))
}

// comment is the last column of a line.
func (f forwarded) comment() string {
	switch {
	case f.Dropped != "":
		return clean(f.Dropped)
	case f.Error != "":
		return clean(f.Error)
	case f.Answer == nil:
		return "-"
	case f.Answer.Duplicate:
		return "a duplicate of " + short(clean(f.Answer.UID), 64)
	}
	return "stored as " + short(clean(f.Answer.UID), 64)
}

// hint says once for each sender what to do about a status.
func (p *forwardPrinter) hint(e forward.Event) {
	text := map[int]string{
		http.StatusUnauthorized: fmt.Sprintf("the target does not believe the signature: is %s the secret of the service here?", senders[e.Sender].variable),
		http.StatusNotFound:     fmt.Sprintf("the target has nothing at this path: does -to have the path of the hook of %s?", e.Sender),
	}[e.Status]
	if e.Status == http.StatusUnauthorized && forward.InURL(e.Sender) {
		text = fmt.Sprintf("the target does not know the token: write {token} in -to, and set %s to that of the service here", senders[e.Sender].variable)
	}
	if e.Status >= 300 && e.Status <= 399 {
		text = "the target redirects, and the delivery was not sent to the other address"
	}
	if key := fmt.Sprint(e.Sender, e.Status); text != "" && !p.hinted[key] {
		if p.hinted == nil {
			p.hinted = make(map[string]bool)
		}
		p.hinted[key] = true
		p.note("hookhouse: forward: %s", text)
	}
}

// total says what has come of all.
func (p *forwardPrinter) total() {
	p.note("%s accepted, %d not accepted, %d not sent", deliveries(p.accepted), p.refused, p.dropped)
}
