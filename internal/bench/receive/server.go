package receive

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// connections is how many the generator uses, each with one request at a time.
const connections = 32

// A server is an implementation in a process of its own, with the results of its
// runs.
type server struct {
	Impl
	runs []serverRun
}

type serverRun struct {
	sender.Load
	cpu time.Duration // of the server, for each request
}

func (s *server) figures(f func(serverRun) float64) []float64 { return env.Figures(s.runs, f) }

func (s *server) rps() []float64 { return s.figures(func(r serverRun) float64 { return r.Rate }) }
func (s *server) p50() []float64 {
	return s.figures(func(r serverRun) float64 { return env.Millis(r.P50) })
}
func (s *server) p99() []float64 {
	return s.figures(func(r serverRun) float64 { return env.Millis(r.P99) })
}
func (s *server) cpu() []float64 {
	return s.figures(func(r serverRun) float64 { return env.Micros(r.cpu) })
}

func findServer(servers []*server, name string) *server {
	for _, s := range servers {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// bestServer returns the peer with the most requests per second.
func bestServer(servers []*server) *server {
	var best *server
	for _, s := range servers {
		if s.Kind == Peer && (best == nil || env.Median(s.rps()) > env.Median(best.rps())) {
			best = s
		}
	}
	return best
}

// runServers measures every implementation count times, one after the other. Each
// run takes d and has a new server.
func runServers(ctx context.Context, count int, d time.Duration) ([]*server, error) {
	servers := make([]*server, len(pushImpls))
	for i, c := range pushImpls {
		servers[i] = &server{Impl: c}
	}
	return servers, env.Rounds(count, len(servers), len(servers), func(i int) error {
		if err := servers[i].run(ctx, d); err != nil {
			return fmt.Errorf("server %s: %w", servers[i].Name, err)
		}
		return nil
	})
}

// run starts the server on one processor and the generator on the other.
func (s *server) run(ctx context.Context, d time.Duration) error {
	var first env.Report
	c, err := env.Start(env.SelfOn(ctx, 0, "receive-server", s.Name), &first)
	if err != nil {
		return err
	}
	var r serverRun
	err = env.Result(env.SelfOn(ctx, 1, "receive-load", s.Name, first.Addr, d.String()), &r.Load)
	if ended := c.End(nil); err == nil {
		err = ended
	}
	if err != nil {
		return err
	}
	r.cpu = c.Used() / time.Duration(r.Requests)
	s.runs = append(s.runs, r)
	return nil
}

// Commands are those of the processes that the measurement of servers starts.
var Commands = env.Commands{
	"receive-server": func(_ context.Context, args []string) error {
		c, err := namedIn(args, 1)
		if err != nil {
			return err
		}
		return env.Serve(c.mounted(), os.Stdin, os.Stdout)
	},
	"receive-load": func(_ context.Context, args []string) error {
		c, err := namedIn(args, 3)
		if err != nil {
			return err
		}
		d, err := time.ParseDuration(args[2])
		if err != nil {
			return err
		}
		l, err := sender.Generate(args[1], connections, d, sender.Same(c.from, sender.RealPush.Text))
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(l)
	},
}

// namedIn returns the implementation that the first of n arguments names.
func namedIn(args []string, n int) (Impl, error) {
	if len(args) != n {
		return Impl{}, fmt.Errorf("got %d arguments, want %d", len(args), n)
	}
	c, ok := Find(args[0])
	if !ok {
		return Impl{}, fmt.Errorf("no implementation %q", args[0])
	}
	return c, nil
}

// mounted returns a mux with the handler on the path of its sender.
func (c Impl) mounted() http.Handler {
	_, path := sender.Header(c.from, "")
	mux := http.NewServeMux()
	mux.Handle(path, c.Open(func(any) {}))
	return mux
}
