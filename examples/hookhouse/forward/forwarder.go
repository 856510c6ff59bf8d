package forward

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

// A Forwarder sends what a service receives to targets. Its fields are not changed while it
// runs.
type Forwarder struct {
	// Service is where the deliveries come from.
	Service *service.Client
	// Filter has the Source, the Type and the OrderingKey of the deliveries to send, and From,
	// if those in the past are meant too. Other fields are not regarded.
	Filter webhook.Filter
	// Targets are by the names of the senders.
	Targets map[string]Target
	// As is the sender of all deliveries. If empty, their source or their headers say it.
	As string
	// Timeout is how long a target may take to answer.
	Timeout time.Duration
	// AllowRemote lets targets have any address. Otherwise it must be one of this machine or
	// of a private network.
	AllowRemote bool
	// Report gets each delivery with what came of it, in order. Its error ends Run.
	Report func(Event) error
	// Note gets a sentence when Run has begun, and about what goes wrong meanwhile. What is
	// stored after the first one is sent. It may be called concurrently.
	Note func(text string)

	client     *http.Client
	backlog    backlog
	complaints complaints
}

// An Event is what came of a delivery.
type Event struct {
	webhook.Record        // as a list has it
	Sender         string // as which it was signed; empty if it was not sent
	Status         int    // of the answer; zero if there was none
	Answer         []byte // up to 64 KiB of it
	Took           time.Duration
	// Dropped is why it was not sent, and Err why there was no answer. Both are empty if there
	// was one.
	Dropped string
	Err     error
}

// OK reports whether the target has accepted the delivery.
func (e Event) OK() bool { return e.Status >= 200 && e.Status <= 299 }

// Run sends what the service receives until ctx ends, and then returns nil. An error means
// that it cannot go on: the service refuses (service.ErrDenied), a target is remote
// ([ErrRemote]), or Report fails. If the service cannot be used from the beginning, Run
// returns that error; later it waits.
func (f *Forwarder) Run(ctx context.Context) error {
	f.client = newClient(f.AllowRemote)
	defer f.client.CloseIdleConnections()
	f.backlog = backlog{service: f.Service, filter: webhook.Filter{
		Source: f.Filter.Source, Type: f.Filter.Type, OrderingKey: f.Filter.OrderingKey, From: f.Filter.From,
	}}
	if err := f.backlog.begin(ctx); err != nil {
		return unlessEnded(ctx, err)
	}
	f.Note("connected to the service")
	until, stop := context.WithCancel(ctx)
	news := make(news, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.listen(until, news)
	}()
	defer func() {
		stop()
		<-ended
	}()
	var again service.Backoff
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		}
		more, err := f.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			again.Reset()
			f.complaints.clear(sending)
			if more {
				news.signal()
			}
			continue
		case !errors.Is(err, service.ErrUnavailable) && !errors.Is(err, service.ErrNotInspector):
			return err
		}
		f.complaints.note(sending, err, f.Note)
		news.signal()
		if again.Wait(ctx) != nil {
			return nil
		}
	}
}

func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// News has one element if there may be something to look at.
type news chan struct{}

func (n news) signal() {
	select {
	case n <- struct{}{}:
	default:
	}
}

// listen reads the live list until ctx ends, and signals what may be new.
func (f *Forwarder) listen(ctx context.Context, n news) {
	var again service.Backoff
	for again.Wait(ctx) == nil {
		err := f.hear(ctx, n, func() {
			again.Reset()
			f.complaints.clear(listening)
		})
		if err == nil || ctx.Err() != nil {
			continue
		}
		n.signal() // if the live list cannot be had, the list is read from time to time
		f.complaints.note(listening, err, f.Note)
	}
}

// hear reads one stream.
func (f *Forwarder) hear(ctx context.Context, n news, works func()) error {
	stream, err := f.Service.Live(ctx, f.backlog.filter)
	if err != nil {
		return err
	}
	defer stream.Close()
	n.signal()
	for {
		u, err := stream.Next()
		switch {
		case errors.Is(err, io.EOF):
			works()
			return nil
		case err != nil:
			return err
		}
		works()
		isNews := u.Lost
		for _, r := range u.Deliveries {
			isNews = isNews || f.backlog.isNew(r.Delivery.UID)
		}
		if isNews {
			n.signal()
		}
	}
}

// round sends what waits. more is true if there is more.
func (f *Forwarder) round(ctx context.Context) (more bool, err error) {
	l, err := f.backlog.look(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range l.waiting {
		e, err := f.forward(ctx, r)
		if err != nil {
			return false, err
		}
		f.backlog.add(r.Delivery)
		if err := f.Report(e); err != nil {
			return false, err
		}
	}
	f.backlog.reached(l)
	return l.more, nil
}

// forward sends a delivery. An error means that it cannot go on now.
func (f *Forwarder) forward(ctx context.Context, r webhook.Record) (Event, error) {
	e := Event{Record: r}
	c, err := f.prepare(ctx, r.Delivery.UID)
	if reason := new(dropped); errors.As(err, reason) {
		e.Dropped = reason.cause
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Sender = c.sender
	a, took, err := f.send(ctx, c)
	if ctx.Err() != nil || errors.Is(err, ErrRemote) || errors.Is(err, ErrTarget) {
		return e, err
	}
	e.Took, e.Err = took, err
	if err == nil {
		e.Status, e.Answer = a.status, a.text
	}
	return e, nil
}
