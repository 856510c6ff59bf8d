package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A server is a contender in a process of its own, with what several runs of it
// gave.
type server struct {
	contender
	runs []serverRun
}

type serverRun struct {
	load
	cpu time.Duration // of the server, for each request
}

func (s *server) figures(f func(serverRun) float64) []float64 {
	values := make([]float64, len(s.runs))
	for i, r := range s.runs {
		values[i] = f(r)
	}
	return values
}

func (s *server) rps() []float64 { return s.figures(func(r serverRun) float64 { return r.Rate }) }
func (s *server) p50() []float64 { return s.figures(func(r serverRun) float64 { return ms(r.P50) }) }
func (s *server) p99() []float64 { return s.figures(func(r serverRun) float64 { return ms(r.P99) }) }
func (s *server) cpu() []float64 {
	return s.figures(func(r serverRun) float64 { return float64(r.cpu) / 1e3 })
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

func findServer(servers []*server, name string) *server {
	for _, s := range servers {
		if s.name == name {
			return s
		}
	}
	return nil
}

// bestServer returns the peer with the most requests per second.
func bestServer(servers []*server) *server {
	var best *server
	for _, s := range servers {
		if s.kind == peer && (best == nil || median(s.rps()) > median(best.rps())) {
			best = s
		}
	}
	return best
}

// runServers measures every contender count times, one after the other, each
// run with a fresh server and for d.
func runServers(count int, d time.Duration) ([]*server, error) {
	servers := make([]*server, len(pushContenders))
	for i, c := range pushContenders {
		servers[i] = &server{contender: c}
	}
	for round := range count {
		for i := range servers {
			s := servers[(i+round)%len(servers)]
			r, err := s.run(d)
			if err != nil {
				return nil, fmt.Errorf("server %s: %w", s.name, err)
			}
			s.runs = append(s.runs, r)
		}
	}
	return servers, nil
}

// run starts the server on one processor and the generator on the other.
func (s *server) run(d time.Duration) (serverRun, error) {
	serving := self(0, "-serve", s.name)
	stop, err := serving.StdinPipe()
	if err != nil {
		return serverRun{}, err
	}
	out, err := serving.StdoutPipe()
	if err != nil {
		return serverRun{}, err
	}
	if err := serving.Start(); err != nil {
		return serverRun{}, err
	}
	addr, readErr := bufio.NewReader(out).ReadString('\n')
	var result []byte
	if readErr == nil {
		result, err = self(1, "-load", strings.TrimSpace(addr), "-serve", s.name, "-benchtime", d.String()).Output()
	}
	_ = stop.Close() // the server ends with its input
	if waitErr := serving.Wait(); err == nil {
		err = waitErr
	}
	if readErr != nil {
		return serverRun{}, fmt.Errorf("no address: %w", readErr)
	}
	if err != nil {
		return serverRun{}, err
	}
	var l load
	if err := json.Unmarshal(result, &l); err != nil {
		return serverRun{}, err
	}
	used := serving.ProcessState.UserTime() + serving.ProcessState.SystemTime()
	return serverRun{l, used / time.Duration(l.Requests)}, nil
}

// serve is the server's process: it prints its address, and serves until its
// input ends.
func serve(c contender, in io.Reader, out io.Writer) error {
	_, path := headerOf(c.from, "")
	mux := http.NewServeMux()
	mux.Handle(path, c.open(func(any) {}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = srv.Close()
	}()
	fmt.Fprintln(out, listener.Addr())
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// self is this program again, with one processor, and that one alone where
// taskset is there to see to it.
func self(cpu int, args ...string) *exec.Cmd {
	me, err := os.Executable()
	if err != nil {
		me = os.Args[0]
	}
	if pins() {
		args = append([]string{"-c", fmt.Sprint(cpu), me}, args...)
		me = "taskset"
	}
	cmd := exec.Command(me, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	return cmd
}

func pins() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && runtime.NumCPU() > 1
}

// placement tells where server and generator run, for the table's title.
func placement() string {
	if pins() {
		return "server on CPU 0 and generator on CPU 1"
	}
	return "server and generator with one processor each, not pinned"
}
