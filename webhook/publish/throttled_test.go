package publish_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestTooManyRequestsCostsNoAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", status(429, "Retry-After", "60"))
		r.start()
		r.publish(publish.Event{})
		advance(30 * time.Minute)
		attempts := r.attempts("a")
		if n := len(attempts); n < 25 || n > 31 {
			t.Errorf("%d attempts in 30 minutes, want one in about a minute", n)
		}
		for i, a := range attempts {
			if a.Number != 1 || a.Status != 429 || a.Next.IsZero() {
				t.Errorf("attempt %d is recorded as %+v, want number 1 with a next one", i+1, a)
			}
			if i > 0 && a.At.Sub(attempts[i-1].At) < time.Minute {
				t.Errorf("attempt %d came %v after the one before, it was asked to wait for 1m", i+1, a.At.Sub(attempts[i-1].At))
			}
		}
		r.net.at("a", status(200))
		advance(5 * time.Minute)
		if r.states("a")[webhook.Done] != 1 {
			t.Errorf("deliveries %v, want it done", r.states("a"))
		}
	})
}

func TestTooManyRequestsEndsWithRetentionAndDisables(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w words
		r := newRig(t)
		r.Retention, r.DisableAfter, r.Observer = 2*time.Hour, 3*time.Hour, w.observer()
		r.create("a")
		r.net.at("a", status(429, "Retry-After", "600"))
		r.start()
		r.publish(publish.Event{})
		advance(150 * time.Minute)
		if r.states("a")[webhook.Dead] != 1 {
			t.Errorf("deliveries %v, want it dead after Retention", r.states("a"))
		}
		r.publish(publish.Event{})
		advance(2 * time.Hour)
		if len(w.disablings()) != 1 {
			t.Errorf("disabled %d times, want once: only 429 for longer than DisableAfter", len(w.disablings()))
		}
	})
}

func TestRetryAfterHoldsBackTheEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		header      string
		least, most time.Duration // between the first attempt and the second
	}{
		"seconds":    {"3600", time.Hour, time.Hour + time.Second},
		"a date":     {"Sat, 01 Jan 2000 02:00:00 GMT", 2*time.Hour - time.Second, 2*time.Hour + time.Second},
		"a year":     {"31536000", 24 * time.Hour, 24*time.Hour + time.Second},
		"more":       {"99999999999999999999", 24 * time.Hour, 24*time.Hour + time.Second},
		"negative":   {"-5", 5 * time.Second, 8 * time.Second},
		"the past":   {"Sat, 01 Jan 1999 00:00:00 GMT", 5 * time.Second, 8 * time.Second},
		"not either": {"soon", 5 * time.Second, 8 * time.Second},
	} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			r.create("a")
			r.net.at("a", failOnce(503, "Retry-After", test.header))
			r.start()
			r.publish(publish.Event{})
			advance(time.Second)
			first := len(r.net.to("a"))
			r.publish(publish.Event{}) // it is held back too if the endpoint has asked to wait
			advance(test.least - 2*time.Second)
			if got := len(r.net.to("a")) - first; test.least > time.Minute && got != 0 {
				t.Errorf("%s: %d requests before Retry-After is over", name, got)
			}
			advance(test.most - test.least + 3*time.Second)
			attempts := r.attempts("a")
			var second publish.Attempt
			for _, a := range attempts {
				if a.Number == 2 && a.UID == attempts[0].UID && second.Number == 0 {
					second = a
				}
			}
			if got := second.At.Sub(attempts[0].At); got < test.least || got > test.most {
				t.Errorf("%s: the second attempt came after %v, want %v to %v", name, got, test.least, test.most)
			}
		})
	}
}

func TestABreakerOpensAndTheEndpointRecoversByItself(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		for range 30 {
			r.publish(publish.Event{})
		}
		advance(time.Hour)
		n := len(r.net.to("a"))
		if n < 5 || n > 20 {
			t.Errorf("%d requests in an hour of failures, want a few: the breaker is open", n)
		}
		r.net.at("a", status(200))
		advance(3 * time.Hour)
		if got := r.states("a"); got[webhook.Done] != 30 {
			t.Errorf("deliveries %v, want all 30 done", got)
		}
	})
}
