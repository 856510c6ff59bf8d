package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// maxAnswer bounds what is read of an answer, and keptAnswers how many are kept.
const (
	maxAnswer   = 64 << 10
	keptAnswers = 100
)

// An answer is what a receiver of Hookhouse says about a delivery.
type answer struct {
	UID       string `json:"uid"`
	Duplicate bool   `json:"duplicate"`
}

// answers is a transport that keeps the answers.
type answers struct {
	next http.RoundTripper

	mu   sync.Mutex
	kept []answer
}

func newAnswers() *answers { return &answers{next: &http.Transport{DisableCompression: true}} }

// RoundTrip reads the answer, which is short, and passes it on.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	var said answer
	if json.Unmarshal(text, &said) == nil && said.UID != "" {
		a.mu.Lock()
		if len(a.kept) < keptAnswers {
			a.kept = append(a.kept, said)
		}
		a.mu.Unlock()
	}
	return resp, nil
}

// A sentReport is the JSON of send.
type sentReport struct {
	Sender    string     `json:"sender"`
	Event     string     `json:"event,omitempty"`
	GUID      string     `json:"guid,omitempty"`
	Bytes     int        `json:"bytes"`
	Accepted  bool       `json:"accepted"`
	Delivered bool       `json:"delivered"` // as the real sender counts
	Calls     []sentCall `json:"calls"`
	Answers   []answer   `json:"answers,omitempty"`
	Error     string     `json:"error,omitempty"`
}

type sentCall struct {
	At       time.Time `json:"at"`
	Statuses []int     `json:"statuses,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// errNotAccepted means that the receiver has not taken a body.
var errNotAccepted = errors.New("not accepted")

// sent prints what came of a delivery.
func (p *printer) sent(name, event string, size int, result webhooktest.Result, a *answers) error {
	err := faultOf(result)
	report := sentReport{
		Sender: name, GUID: result.GUID, Bytes: size, Accepted: err == nil, Delivered: result.Delivered, Answers: a.kept,
	}
	if name == "github" {
		report.Event = event
	}
	if err != nil {
		report.Error = err.Error()
	}
	for _, at := range result.Attempts {
		c := sentCall{At: at.At.UTC(), Statuses: at.Statuses}
		if at.Err != nil {
			c.Error = at.Err.Error()
		}
		report.Calls = append(report.Calls, c)
	}
	if p.json {
		return errors.Join(p.object(report), err)
	}
	_, failed := io.WriteString(p, report.text())
	return errors.Join(failed, err)
}

// text returns a report as lines.
func (r sentReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s%d bytes\n", r.Sender, strings.TrimLeft(r.Event+" ", " "), r.Bytes)
	if r.GUID != "" {
		fmt.Fprintf(&b, "guid %s\n", clean(r.GUID))
	}
	for i, c := range r.Calls {
		var said []string
		for _, status := range c.Statuses {
			said = append(said, strings.TrimSpace(fmt.Sprint(status, " ", http.StatusText(status))))
		}
		if c.Error != "" {
			said = append(said, clean(c.Error))
		}
		fmt.Fprintf(&b, "call %d: %s\n", i+1, strings.Join(said, ", then "))
	}
	for _, a := range r.Answers {
		if a.Duplicate {
			fmt.Fprintf(&b, "a duplicate of %s, which does not run again; -fresh changes a sample\n", clean(a.UID))
		} else {
			fmt.Fprintf(&b, "stored as %s\n", clean(a.UID))
		}
	}
	if !r.Accepted && r.Delivered {
		fmt.Fprintf(&b, "the real sender counts this as delivered\n")
	}
	return b.String()
}

// faultOf returns why the body has not arrived, or nil. It is stricter than the senders:
// Kudu is content with any answer, and JobServ with that of a page of log in.
func faultOf(result webhooktest.Result) error {
	switch {
	case result.Err != nil:
		return result.Err
	case len(result.Attempts) == 0:
		return errNotAccepted
	case result.Delivered:
		// Of several calls or tries the last one decides, unless all must succeed.
		return faultOfCall(result.Attempts[len(result.Attempts)-1])
	}
	for _, a := range result.Attempts {
		if err := faultOfCall(a); err != nil {
			return err
		}
	}
	return errNotAccepted
}

func faultOfCall(a webhooktest.Attempt) error {
	for _, status := range a.Statuses {
		if status == http.StatusMovedPermanently || status == http.StatusFound || status == http.StatusSeeOther {
			return fmt.Errorf("%w: redirected, and the body was not sent to the other address", errNotAccepted)
		}
	}
	switch {
	case a.Err != nil:
		return fmt.Errorf("%w: %w", errNotAccepted, a.Err)
	case a.Status < 200 || a.Status > 299:
		return fmt.Errorf("%w: %d %s", errNotAccepted, a.Status, http.StatusText(a.Status))
	}
	return nil
}
