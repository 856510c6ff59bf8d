package publish_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestAHangingEndpointDelaysNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Concurrency = 8
		r.create("hanging")
		r.net.at("hanging", hang)
		for i := range 9 {
			r.create(fmt.Sprintf("good%d", i))
		}
		r.start()
		began := time.Now()
		for range 50 {
			r.publish(publish.Event{})
		}
		advance(10 * time.Minute)
		for i := range 9 {
			calls := r.net.to(fmt.Sprintf("good%d", i))
			if len(calls) != 50 {
				t.Fatalf("good%d has received %d events, want 50", i, len(calls))
			}
			if last := calls[49].at.Sub(began); last > 5*time.Second {
				t.Errorf("good%d has received the last event after %v; the hanging one has delayed it", i, last)
			}
		}
		if n := len(r.net.to("hanging")); n > 10 {
			t.Errorf("the hanging one was asked %d times in ten minutes, want few", n)
		}
		if n := r.net.mostAtOnce("hanging"); n != 1 {
			t.Errorf("the hanging one had %d requests at a time, want 1", n)
		}
	})
}

func TestManyHangingEndpointsDelayNoProvenOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Concurrency = 8
		for i := range 60 {
			name := fmt.Sprintf("hanging%d", i)
			r.create(name, func(e *publish.Endpoint) { e.Events = []string{"next"} })
			r.net.at(name, hang)
		}
		for i := range 5 {
			r.create(fmt.Sprintf("proven%d", i))
		}
		r.start()
		r.publish(publish.Event{Type: "first"})
		advance(time.Minute)
		for round := range 20 {
			published := time.Now()
			r.publish(publish.Event{Type: "next"})
			advance(30 * time.Second)
			for i := range 5 {
				calls := r.net.to(fmt.Sprintf("proven%d", i))
				if len(calls) != round+2 {
					t.Fatalf("round %d: proven%d has received %d events, want %d", round, i, len(calls), round+2)
				}
				if late := calls[round+1].at.Sub(published); late > 2*time.Second {
					t.Errorf("round %d: proven%d has received the event after %v, want at most 2s", round, i, late)
				}
			}
		}
	})
}

func TestProvenEndpointsThatHangAtOnceDelayOthersByOneTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		for i := range 60 {
			r.create(fmt.Sprintf("hanging%d", i))
		}
		for i := range 5 {
			r.create(fmt.Sprintf("proven%d", i))
		}
		r.start()
		for range 20 { // all of them answer, so all of them are proven, in all lanes
			r.publish(publish.Event{})
			advance(time.Second)
		}
		for i := range 60 {
			r.net.at(fmt.Sprintf("hanging%d", i), hang)
		}
		published := time.Now()
		for range 20 {
			r.publish(publish.Event{})
		}
		advance(time.Minute)
		for i := range 5 {
			calls := r.net.to(fmt.Sprintf("proven%d", i))
			if len(calls) != 40 {
				t.Fatalf("proven%d has received %d events, want 40", i, len(calls))
			}
			if late := calls[39].at.Sub(published); late > 17*time.Second {
				t.Errorf("proven%d has received the last event after %v, want one timeout of 15s", i, late)
			}
		}
	})
}

func TestSlowEndpointsAreNotProven(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Concurrency = 8
		for i := range 20 {
			name := fmt.Sprintf("slow%d", i)
			r.create(name)
			r.net.at(name, after(10*time.Second, status(200)))
		}
		r.create("quick")
		r.start()
		for range 5 {
			r.publish(publish.Event{})
		}
		// It is proven when it has got a place once, for which chance decides among the new ones.
		for limit := time.Now().Add(10 * time.Minute); len(r.net.to("quick")) < 5; advance(time.Second) {
			if time.Now().After(limit) {
				t.Fatalf("the quick one has received %d of 5 events in 10 minutes", len(r.net.to("quick")))
			}
		}
		for range 5 {
			published := time.Now()
			r.publish(publish.Event{})
			advance(5 * time.Second)
			calls := r.net.to("quick")
			if late := calls[len(calls)-1].at.Sub(published); late < 0 || late > 2*time.Second {
				t.Errorf("the quick one has received the event after %v, want at most 2s", late)
			}
		}
	})
}

func TestAnEndpointHasNoMoreRequestsAtATimeThanLanes(t *testing.T) {
	for lanes, want := range map[int]int{0: 4, 1: 1, 3: 3} {
		t.Run(fmt.Sprint(lanes), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t)
				r.create("a", func(e *publish.Endpoint) { e.Lanes = lanes })
				r.net.at("a", after(time.Second, status(200)))
				r.start()
				for range 60 {
					r.publish(publish.Event{})
				}
				advance(90 * time.Second)
				if n := len(r.net.to("a")); n != 60 {
					t.Errorf("%d events have arrived, want 60", n)
				}
				if n := r.net.mostAtOnce("a"); n != want {
					t.Errorf("%d requests at a time, want %d", n, want)
				}
			})
		})
	}
}

func TestANewEndpointBeginsWithOneRequestAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", hang)
		r.start()
		for range 20 {
			r.publish(publish.Event{})
		}
		advance(14 * time.Second)
		if n := r.net.mostAtOnce("a"); n != 1 {
			t.Errorf("%d requests at a time before the first answer, want 1", n)
		}
	})
}

func TestARateIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.Rate = 0.5 })
		r.start()
		for range 6 {
			r.publish(publish.Event{})
		}
		advance(time.Minute)
		calls := r.net.to("a")
		if len(calls) != 6 {
			t.Fatalf("%d events have arrived, want 6", len(calls))
		}
		for i := 1; i < 6; i++ {
			if d := calls[i].at.Sub(calls[i-1].at); d < 1900*time.Millisecond {
				t.Errorf("request %d came %v after the one before; the rate is one in 2s", i+1, d)
			}
		}
		for _, a := range r.attempts("a") {
			if a.Number != 1 {
				t.Errorf("attempt %d was counted: waiting for the rate costs none", a.Number)
			}
		}
	})
}
