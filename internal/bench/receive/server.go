package receive

import (
	"context"
	"fmt"
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
func (s *server) cpu() []float64 {
	return s.figures(func(r serverRun) float64 { return env.Micros(r.cpu) })
}

// costs returns the time of each request.
func (s *server) costs() []float64 {
	return s.figures(func(r serverRun) float64 { return 1 / r.Rate })
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
	c, err := env.Start(env.Pin(env.Self(ctx, "receive-server", s.Name), 0), &first)
	if err != nil {
		return err
	}
	var r serverRun
	order := sender.Order{Addr: first.Addr, Connections: connections, Time: d, From: s.from}
	err = env.Result(env.Pin(env.Self(ctx, "load", order), 1), &r.Load)
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

// Commands has the process of a server.
var Commands = env.Commands{"receive-server": env.Task(func(_ context.Context, name string) (any, error) {
	c := Find(name)
	if c.Open == nil {
		return nil, fmt.Errorf("no implementation %q", name)
	}
	return env.Report{}, env.Serve(sender.Path(c.from), c.Open(func(any) {}), os.Stdin, os.Stdout)
})}
