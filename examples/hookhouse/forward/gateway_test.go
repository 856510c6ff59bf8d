package forward_test

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A gateway stands before staging and answers itself while a fault is set.
type gateway struct {
	host
	fault atomic.Pointer[gatewayFault]
}

// A gatewayFault is an answer of a gateway, to the pages that have the text.
type gatewayFault struct {
	status     int
	body, page string
	answered   atomic.Int64
}

func (s *staging) gateway(t *testing.T) *gateway {
	g := new(gateway)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.addr})
	proxy.FlushInterval = -1
	g.up(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := g.fault.Load()
		if f == nil || !strings.Contains(r.URL.Path, f.page) {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(f.body))
		f.answered.Add(1)
	}))
	return g
}

// What stands before the service answers in JSON, as the inspector does: nothing is dropped for
// it, forward does not end, and says what is wrong.
func TestAGatewayThatAnswersInJSON(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		page   string
		noted  string
	}{
		{"404 to all", 404, `{"error":"no such delivery"}`, "/api/", "404 Not Found"},
		{"500 to all", 500, `{"error":"internal"}`, "/api/", "500 Internal Server Error"},
		{"500 to a delivery", 500, `{"message":"internal"}`, "/api/delivery", "500 Internal Server Error"},
		{"500 to a body", 500, `{"message":"internal"}`, "/api/body", "500 Internal Server Error"},
		{"404 to a body", 404, `{"error":"no route"}`, "/api/body", "it has the delivery and not its body"},
		{"408 to a list", 408, `{"error":"timeout"}`, "/api/deliveries", "408 Request Timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStaging(t)
			g := s.gateway(t)
			got := new(webhooktest.Recorder)
			var here host
			here.up(t, receivers(localSecret, got))
			f := s.forwarder(t, here.addr)
			c, err := service.New("http://"+g.addr+"/debug/hooks/", "ops", webhook.NewSecret(password))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			f.Service, f.Filter.From = c, longAgo
			r := start(t, f)
			s.put(t, "1")
			all := r.keys(t, 1)
			fault := &gatewayFault{status: tt.status, body: tt.body, page: tt.page}
			g.fault.Store(fault)
			s.putAll(t, numbers(2, 4))
			eventually(t, "it is noted", func() bool { return strings.Contains(r.noted(), tt.noted) && fault.answered.Load() > 2 })
			g.fault.Store(nil)
			all = append(all, r.keys(t, 3)...)
			if d := cmp.Diff(numbers(1, 4), all); d != "" || got.Count() != 4 {
				t.Errorf("%d arrived; -want +got\n%s", got.Count(), d)
			}
			if n := strings.Count(r.noted(), tt.noted); n != 1 {
				t.Errorf("it is noted %d times: %s", n, r.noted())
			}
		})
	}
}

// What was deleted is dropped all the same.
func TestADeliveryThatWasDeleted(t *testing.T) {
	s := newStaging(t)
	got := new(webhooktest.Recorder)
	var here host
	arrived, block := make(chan struct{}, 3), make(chan struct{})
	mux := receivers(localSecret, got)
	here.up(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-block
		mux.ServeHTTP(w, r)
	}))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	s.put(t, "1")
	gone := s.put(t, "2")
	s.put(t, "3")
	s.settleAll(t)
	r := start(t, f)
	<-arrived // the list was read
	if _, err := s.inbox.Discard(t.Context(), webhook.Filter{UID: gone}, webhook.Note{By: "ann"}); err != nil {
		t.Fatal(err)
	}
	close(block)
	for _, want := range []struct{ key, dropped string }{{"1", ""}, {"2", "the service has deleted it"}, {"3", ""}} {
		if e := r.next(t); e.Delivery.OrderingKey != want.key || e.Dropped != want.dropped || e.OK() != (want.dropped == "") {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
}

// A bin captures calls of any method: each is forwarded with its own.
func TestTheMethodOfACapturedCallIsKept(t *testing.T) {
	s := newStaging(t)
	calls := make(chan string, 10)
	var here host
	here.up(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { calls <- r.Method }))
	f := s.forwarder(t, here.addr)
	f.Filter.From, f.As = longAgo, "jobserv"
	r := start(t, f)
	for _, tt := range []struct{ name, value, want string }{
		{"Bin-Request", "GET a/b?x=1", "GET"}, {"Bin-Request", "PUT ", "PUT"}, {"Bin-Request", "POST x", "POST"}, {"X", "GET", "POST"},
		{"Bin-Request", "CONNECT x", ""}, {"Bin-Request", "GET\r\nX: y", ""}, {"Bin-Body", "It broke off.", ""},
	} {
		d := webhook.NewDelivery("bin.demo", "bin.demo", "", []byte("{}"))
		d.Header = http.Header{tt.name: {tt.value}}
		if err := s.inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		e := r.next(t)
		if tt.want == "" {
			if e.Dropped == "" {
				t.Errorf("%s: %+v", tt.value, e)
			}
			continue
		}
		if got := <-calls; got != tt.want || !e.OK() {
			t.Errorf("%s: the method is %s; %+v", tt.value, got, e)
		}
	}
}
