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

// A server is an implementation in a process of its own, with the figures of its
// runs.
type server struct {
	Impl
	rps      []float64
	wall     []float64 // s for each request
	p50, p99 []float64 // ms
	cpu      []float64 // µs of the server for each request
}

func (s *server) costs() []float64 { return s.wall }

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
	var first env.Status
	c, err := env.Start(env.Pin(env.Self(ctx, "receive-server", s.Name), 0), &first)
	if err != nil {
		return err
	}
	var l sender.Load
	order := sender.Order{Addr: first.Addr, Connections: connections, Time: d, From: s.from}
	err = env.Result(env.Pin(env.Self(ctx, "load", order), 1), &l)
	if ended := c.End(nil); err == nil {
		err = ended
	}
	if err != nil {
		return err
	}
	s.rps, s.wall = append(s.rps, l.Rate), append(s.wall, 1/l.Rate)
	s.p50, s.p99 = append(s.p50, env.Millis(l.P50)), append(s.p99, env.Millis(l.P99))
	s.cpu = append(s.cpu, env.Micros(c.Used())/float64(l.Requests))
	return nil
}

// Commands has the process of a server.
var Commands = env.Commands{"receive-server": env.Task(func(_ context.Context, name string) (any, error) {
	c := Find(name)
	if c.Open == nil {
		return nil, fmt.Errorf("no implementation %q", name)
	}
	return env.Status{}, env.Serve(sender.Path(c.from), c.Open(func(any) {}), os.Stdin, os.Stdout)
})}
