package publish

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
)

// The paths of a sink.
const (
	goodPath    = "/good/" // the number of an endpoint follows
	hangPath    = "/hang"  // not answered until the sink lets go
	letGoPath   = "/let-go"
	hangingPath = "/hang-again"
)

// secret is that of all endpoints.
var secret = webhook.NewSecret("whsec_aG9va2hvdXNlIGJlbmNoIHNlY3JldCBvZiAzMiBieXRlcw==")

// A sinkOrder is the task of the process of a sink.
type sinkOrder struct{}

// Calls are what a sink has got.
type calls struct {
	Good   int // verified and answered with 200
	Hung   int // verified and not answered
	Others int // everything else
}

// Commands has the process of a sink, and the one whose memory is measured.
var Commands = env.Commands{
	"publish-sink":   env.Task(func(context.Context, sinkOrder) (any, error) { return serveSink(os.Stdin, os.Stdout) }),
	"publish-memory": env.Task(func(ctx context.Context, o memoryOrder) (any, error) { return o.measure(ctx) }),
}

// serveSink serves until in ends, and returns what it has got.
func serveSink(in io.Reader, out io.Writer) (calls, error) {
	h, count, err := newSinkHandler()
	if err == nil {
		err = env.Serve("/", h, in, out)
	}
	return count(), err
}

// newSinkHandler verifies all calls of endpoints.
func newSinkHandler() (h http.Handler, count func() calls, err error) {
	var good, hung, others atomic.Int64
	count = func() calls { return calls{int(good.Load()), int(hung.Load()), int(others.Load())} }
	verifier := &webhook.StandardWebhooks{Keys: webhook.Keys(secret)}
	if err := verifier.Validate(); err != nil {
		return nil, count, err
	}
	gate := newGate()
	mux := http.NewServeMux()
	verified := func(handle http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
			if err == nil {
				_, err = verifier.Verify(r, body)
			}
			if err != nil {
				others.Add(1)
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			handle(w, r)
		}
	}
	mux.HandleFunc(goodPath, verified(func(http.ResponseWriter, *http.Request) { good.Add(1) }))
	mux.HandleFunc(hangPath, verified(func(w http.ResponseWriter, r *http.Request) {
		hung.Add(1)
		select {
		case <-gate.opened():
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	mux.HandleFunc(letGoPath, func(http.ResponseWriter, *http.Request) { gate.open() })
	mux.HandleFunc(hangingPath, func(http.ResponseWriter, *http.Request) { gate.close() })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		others.Add(1)
		http.NotFound(w, r)
	})
	return mux, count, nil
}

// A gate lets all through while it is open.
type gate struct{ now atomic.Pointer[chan struct{}] }

func newGate() *gate {
	g := new(gate)
	g.close()
	return g
}

func (g *gate) opened() <-chan struct{} { return *g.now.Load() }

func (g *gate) close() {
	c := make(chan struct{})
	g.now.Store(&c)
}

// open must not be called twice without close in between.
func (g *gate) open() { close(*g.now.Load()) }

// A sink is a receiver in a process of its own. Its endpoints answer at once, but one that
// hangs.
type sink struct {
	child *env.Child
	url   string
}

func startSink(ctx context.Context) (*sink, error) {
	var first env.Status
	child, err := env.Start(env.Self(ctx, "publish-sink", sinkOrder{}), &first)
	if err != nil {
		return nil, err
	}
	return &sink{child, "http://" + first.Addr}, nil
}

// good is the URL of an endpoint that answers, and hang that of the one that does not.
func (s *sink) good(i int) string { return s.url + goodPath + strconv.Itoa(i) }
func (s *sink) hang() string      { return s.url + hangPath }

// letGo answers the calls that hang with 503, so that their sender can end.
func (s *sink) letGo() error { return s.control(letGoPath) }

// hangAgain ends letGo.
func (s *sink) hangAgain() error { return s.control(hangingPath) }

func (s *sink) control(path string) error {
	resp, err := http.Get(s.url + path)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// end ends the process and returns what it has got.
func (s *sink) end() (got calls, err error) {
	err = s.child.End(&got)
	return got, err
}

// accounted returns an error unless a sink has got what was sent, each once.
func (c calls) accounted(good int, hanging bool) error {
	switch {
	case c.Good != good || c.Others > 0:
		return errors.New("the sink has got " + strconv.Itoa(c.Good) + " calls and " + strconv.Itoa(c.Others) + " bad ones, want " + strconv.Itoa(good))
	case hanging && c.Hung == 0:
		return errors.New("nothing has hung")
	}
	return nil
}
