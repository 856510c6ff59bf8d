package publish_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestPublishRefusesWhatIsNoEvent(t *testing.T) {
	r := newRig(t)
	r.EventTypes = []string{"a.b"}
	r.MaxPayload = 25 << 20
	long := strings.Repeat("x", 256)
	for name, e := range map[string]publish.Event{
		"no type":                   {},
		"unknown type":              {Type: "a.c"},
		"pattern":                   {Type: "a.*"},
		"payload of a chan":         {Type: "a.b", Payload: make(chan int)},
		"payload with a NaN":        {Type: "a.b", Payload: json.Number("NaN")},
		"RawMessage of no JSON":     {Type: "a.b", Payload: json.RawMessage("{")},
		"payload of more than 25MB": {Type: "a.b", Payload: make([]byte, 25<<20+1)},
		"content type of no form":   {Type: "a.b", ContentType: "a/b\r\nX: y"},
		"content type":              {Type: "a.b", ContentType: "/"},
		"long owner":                {Type: "a.b", Owner: long},
		"long key":                  {Type: "a.b", Key: long},
		"long Once":                 {Type: "a.b", Once: long},
		"owner that is not UTF-8":   {Type: "a.b", Owner: "\xff"},
	} {
		if id, err := r.Publish(t.Context(), e); !errors.Is(err, publish.ErrEvent) || id != "" {
			t.Errorf("%s: %q, %v, want ErrEvent", name, id, err)
		}
	}
	if n, err := r.inbox.Pending(t.Context(), 100); err != nil || n != 0 {
		t.Errorf("%d events are stored, %v, want none", n, err)
	}
	if _, err := r.Publish(t.Context(), publish.Event{Type: "a.b", Payload: make([]byte, 25<<20)}); err != nil {
		t.Errorf("25 MiB, which MaxPayload allows: %v", err)
	}
	if _, err := r.PublishTx(t.Context(), nil, publish.Event{Type: "a.b"}); !errors.Is(err, publish.ErrUnsupported) {
		t.Errorf("PublishTx in memory = %v, want ErrUnsupported", err)
	}
}

func TestPayloadsAreSentByteForByte(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.Lanes = 1 })
		r.start()
		large := `"` + strings.Repeat("é\u2028<", 50<<10) + `"`
		r.MaxPayload = 10 << 20
		for _, test := range []struct {
			payload any
			want    string
		}{
			{[]byte("\x00\xff\r\n"), "\x00\xff\r\n"},
			{json.RawMessage(" {\"b\":1, \"a\":1.0}\n"), " {\"b\":1, \"a\":1.0}\n"},
			{"plain", "plain"},
			{nil, "null"},
			{[]byte{}, ""},
			{struct{ A int }{1}, `{"A":1}`},
			{json.RawMessage(large), large},
		} {
			id := r.publish(publish.Event{Payload: test.payload, ContentType: "application/x-test"})
			advance(time.Second)
			calls := r.net.to("a")
			last := calls[len(calls)-1]
			if last.body != test.want || last.header.Get("Content-Type") != "application/x-test" {
				t.Errorf("%.20q was sent as %.20q with %s", test.want, last.body, last.header.Get("Content-Type"))
			}
			if body, err := r.Payload(t.Context(), id); err != nil || string(body) != test.want {
				t.Errorf("Payload = %.20q, %v, want %.20q", body, err, test.want)
			}
		}
	})
}

func TestOnceMakesASecondEventADuplicate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.create("b", func(e *publish.Endpoint) { e.Owner = "other" })
		r.start()
		first := r.publish(publish.Event{Once: "order 7", Payload: 1})
		again := r.publish(publish.Event{Once: "order 7", Payload: 2})
		other := r.publish(publish.Event{Once: "order 7", Owner: "other"})
		advance(time.Second)
		if first != again || other == first {
			t.Errorf("IDs %s, %s and %s of another owner, want the first two equal", first, again, other)
		}
		if calls := r.net.to("a"); len(calls) != 1 || calls[0].body != "1" {
			t.Errorf("calls %v, want one of the first event", calls)
		}
		if len(r.net.to("b")) != 1 {
			t.Error("the event of another owner was not sent")
		}
	})
}

func TestOnceTriesADeadEventAgain(t *testing.T) {
	r := newRig(t)
	publishOne := func() (string, error) {
		return r.Publish(t.Context(), publish.Event{Type: "a", Once: "order 7"})
	}
	first, err := publishOne()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := r.inbox.Bury(t.Context(), strings.TrimPrefix(first, "msg_"), note); err != nil {
			t.Fatal(err)
		}
		again, err := publishOne()
		if i < 3 && (err != nil || again != first) {
			t.Errorf("Publish after the event was given up = %s, %v, want %s", again, err, first)
		}
		if i == 3 && !errors.Is(err, webhook.ErrDuplicate) {
			t.Errorf("Publish of an event that stays dead = %s, %v, want ErrDuplicate", again, err)
		}
	}
}

func TestThePayloadOfWhatIsNoEventIsNotShown(t *testing.T) {
	r := newRig(t)
	d := webhook.NewDelivery("github", "github.push", "", []byte("private"))
	if err := r.inbox.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if body, err := r.Payload(t.Context(), d.UID); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("Payload of a delivery that was received = %q, %v, want webhook.ErrNotFound", body, err)
	}
}
