package rabbitmq_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestMessageOverTheServersLimit(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	var log bytes.Buffer
	p := newPublisher(t, node, queue)
	p.Logger = slog.New(slog.NewTextHandler(&log, nil))
	large := strings.Repeat("x", smallest+1)
	results := make(chan error)
	for range 20 {
		go func() { results <- p.Handle(t.Context(), delivery("large", large)) }()
		go func() {
			for {
				err := p.Handle(t.Context(), delivery("k", "body"))
				if err == nil {
					break
				}
				if errors.Is(err, webhook.ErrTooLarge) { // its channel may be closed for another one
					t.Error(err)
				}
			}
			results <- nil
		}()
	}
	refused := 0
	for range 40 {
		if err := <-results; err != nil {
			mustNotStore(t, err)
			if !errors.Is(err, webhook.ErrTooLarge) && !strings.Contains(err.Error(), "channel was closed") {
				t.Errorf("the error does not say why: %v", err)
			}
			if webhook.IsPermanent(err) {
				t.Errorf("the delivery would be dropped: %v", err)
			}
			refused++
		}
	}
	if refused != 20 {
		t.Errorf("%d of 20 are refused", refused)
	}
	err := p.Handle(t.Context(), delivery("large", large)) // the limit is known now
	mustNotStore(t, err)
	if !errors.Is(err, webhook.ErrTooLarge) {
		t.Error(err)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), fmt.Sprint("limit=", smallest)) || !strings.Contains(log.String(), "message_size=4194") {
		t.Errorf("%d lines:\n%s", lines, &log)
	}
	if n := messages(t, node, queue); n < 20 {
		t.Errorf("the queue has %d messages of 20", n)
	}
}

func TestMaxMessageRefusesBeforeTheServer(t *testing.T) {
	if node == nil {
		return
	}
	queue := declare(t, node, 1)
	p := newPublisher(t, node, queue)
	p.MaxMessage = 1000
	if err := p.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish(t, p, delivery("k", "body"))
	err := p.Handle(t.Context(), delivery("k", strings.Repeat("x", 1000)))
	mustNotStore(t, err)
	if !errors.Is(err, webhook.ErrTooLarge) || !strings.Contains(err.Error(), "limit is 1000") {
		t.Error(err)
	}
	if n := messages(t, node, queue); n != 1 {
		t.Errorf("the queue has %d messages", n)
	}
	p = newPublisher(t, node, queue)
	p.MaxMessage = smallest + 1
	for range 2 {
		err = p.Ping(t.Context())
		if !errors.Is(err, webhook.ErrTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(smallest)) || !strings.Contains(err.Error(), fmt.Sprint(smallest+1)) {
			t.Errorf("Ping: %v", err)
		}
	}
	publish(t, p, delivery("k", "body"))
}
