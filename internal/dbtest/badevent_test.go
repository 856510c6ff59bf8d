package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// unmarshalable is a payload whose own method fails.
type unmarshalable struct{}

func (unmarshalable) MarshalJSON() ([]byte, error) { return nil, errors.New("it cannot be encoded") }

// badEvents are refused by a Publisher that knows the types "a.b" and "a.c".
func badEvents() map[string]publish.Event {
	circle := make(map[string]any)
	circle["self"] = circle
	return map[string]publish.Event{
		"a chan":                    {Type: "a.b", Payload: make(chan int)},
		"a func":                    {Type: "a.b", Payload: func() {}},
		"infinity":                  {Type: "a.b", Payload: math.Inf(1)},
		"a circle":                  {Type: "a.b", Payload: circle},
		"an error of MarshalJSON":   {Type: "a.b", Payload: unmarshalable{}},
		"25 MB as bytes":            {Type: "a.b", Payload: make([]byte, largePayload)},
		"25 MB as a text to encode": {Type: "a.b", Payload: []string{strings.Repeat("x", largePayload)}},
		"an unknown type":           {Type: "a.d"},
		"a pattern as the type":     {Type: "a.*"},
	}
}

// A transaction in which an event is refused goes on: its rows and its other events are stored.
func TestABadEventLeavesTheTransactionAsItIs(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			run(t, db, "CREATE TABLE effects (uid TEXT)")
			var c calls
			p := publisher(t, in, &c)
			p.EventTypes = []string{"a.b", "a.c"}
			_, err := p.Create(t.Context(), publish.Endpoint{ID: "a", URL: "https://a/", Events: []string{"a.b"}})
			must(t, err)
			startPublisher(t, p)
			var good, unheard string
			must(t, in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) (err error) {
				for name, bad := range badEvents() {
					if id, err := p.PublishTx(ctx, tx, bad); !errors.Is(err, publish.ErrEvent) || id != "" {
						t.Errorf("PublishTx of %s = %q, %v, want ErrEvent", name, id, err)
					}
				}
				if unheard, err = p.PublishTx(ctx, tx, publish.Event{Type: "a.c"}); err != nil {
					return err
				}
				if good, err = p.PublishTx(ctx, tx, publish.Event{Type: "a.b"}); err != nil {
					return err
				}
				return insertEffect(ctx, tx)
			}))
			for name, bad := range badEvents() {
				if id, err := p.Publish(t.Context(), bad); !errors.Is(err, publish.ErrEvent) || id != "" {
					t.Errorf("Publish of %s = %q, %v, want ErrEvent", name, id, err)
				}
			}
			must(t, wait.Until(t.Context(), "nothing is unfinished", func() bool {
				n, err := in.Pending(t.Context(), 1)
				must(t, err)
				return n == 0
			}))
			if n := count(t, db, "effects"); n != 1 {
				t.Errorf("%d effects, want 1", n)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.got) != 1 || c.got[good+" a"] != 1 || attemptsOf(t, p, "") != 1 {
				t.Errorf("received %v, want %s only: nothing matches %s", c.got, good, unheard)
			}
			states := make(map[webhook.State]int)
			for r, err := range in.All(t.Context(), webhook.Filter{}) {
				must(t, err)
				states[r.State]++
			}
			if states[webhook.Done] != 3 || len(states) != 1 {
				t.Errorf("deliveries %v, want two events and the one to the endpoint done", states)
			}
		})
	}
}

// What is refused is not stored, and what is there stays as it is.
func TestABadEndpointIsRefusedAndNotStored(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			p := publisher(t, in, nil)
			p.Transport, p.EventTypes = nil, []string{"a.b"}
			good := publish.Endpoint{ID: "taken", Name: "Mine", URL: "https://93.184.215.14/", Events: []string{"a.*"}}
			_, err := p.Create(t.Context(), good)
			must(t, err)
			for name, tt := range map[string]struct {
				change func(e *publish.Endpoint)
				want   error
			}{
				"a relative URL":                 {func(e *publish.Endpoint) { e.URL = "/hook" }, publish.ErrEndpoint},
				"a URL without a scheme":         {func(e *publish.Endpoint) { e.URL = "//93.184.215.14/" }, publish.ErrEndpoint},
				"userinfo":                       {func(e *publish.Endpoint) { e.URL = "https://user:word@93.184.215.14/" }, publish.ErrEndpoint},
				"the scheme http":                {func(e *publish.Endpoint) { e.URL = "http://93.184.215.14/" }, publish.ErrEndpoint},
				"the scheme gopher":              {func(e *publish.Endpoint) { e.URL = "gopher://93.184.215.14/" }, publish.ErrEndpoint},
				"a host that is not ASCII":       {func(e *publish.Endpoint) { e.URL = "https://b\u00fccher.example/" }, publish.ErrEndpoint},
				"dots that are not ASCII":        {func(e *publish.Endpoint) { e.URL = "https://127\u30020\u30020\u30021/" }, publish.ErrEndpoint},
				"a private number":               {func(e *publish.Endpoint) { e.URL = "https://10.0.0.1/" }, publish.ErrEndpoint},
				"a private number in one":        {func(e *publish.Endpoint) { e.URL = "https://2130706433/" }, publish.ErrEndpoint},
				"a private name":                 {func(e *publish.Endpoint) { e.URL = "https://localhost/" }, publish.ErrEndpoint},
				"metadata, as IPv6":              {func(e *publish.Endpoint) { e.URL = "https://[::ffff:a9fe:a9fe]/" }, publish.ErrEndpoint},
				"a pattern that matches nothing": {func(e *publish.Endpoint) { e.Events = []string{"a.c"} }, publish.ErrEndpoint},
				"no pattern":                     {func(e *publish.Endpoint) { e.Events = nil }, publish.ErrEndpoint},
				"a name twice":                   {func(e *publish.Endpoint) { e.Name = "MINE" }, publish.ErrExists},
				"an ID twice":                    {func(e *publish.Endpoint) { e.ID = "taken" }, publish.ErrExists},
			} {
				bad := good
				bad.ID, bad.Name = "", ""
				tt.change(&bad)
				if got, err := p.Create(t.Context(), bad); !errors.Is(err, tt.want) || got != nil {
					t.Errorf("Create with %s = %v, %v, want %v", name, got, err, tt.want)
				}
				if tt.want == publish.ErrExists {
					continue
				}
				_, err := p.Update(t.Context(), "taken", func(e *publish.Endpoint) error {
					tt.change(e)
					return nil
				})
				if !errors.Is(err, tt.want) {
					t.Errorf("Update with %s = %v, want %v", name, err, tt.want)
				}
			}
			now, err := p.Get(t.Context(), "taken")
			must(t, err)
			if n := count(t, db, "hookhouse_endpoints"); n != 1 || now.URL != good.URL || revision(t, db, "taken") != 1 {
				t.Errorf("%d endpoints, and the good one is %v; want it alone and as it was", n, now)
			}
		})
	}
}
