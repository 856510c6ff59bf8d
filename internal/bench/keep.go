package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A state is what the keeper's process tells of itself, one line of JSON each
// time: at its start, for each line that it reads, and at its end.
type state struct {
	Addr string
	CPU  time.Duration // used so far
	Kept int           // at the end
}

// keepIn is the keeper's process: it serves until its input ends, and then
// counts what it has. Profiles go to that folder, unless empty.
func keepIn(k keeper, at, profiles string, in io.Reader, out io.Writer) (err error) {
	ctx := context.Background()
	opened, err := k.open(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.close()) }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, path := headerOf(gitHub, "")
	mux := http.NewServeMux()
	mux.Handle(path, opened.handler)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()

	tell := json.NewEncoder(out)
	stop, err := profile(profiles, k.name)
	if err != nil {
		return err
	}
	if err := tell.Encode(state{Addr: listener.Addr().String()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if err := tell.Encode(state{CPU: pace.ProcessTime()}); err != nil {
			return err
		}
	}
	if err := stop(); err != nil {
		return err
	}
	if err := srv.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	n, err := opened.count(ctx)
	if err != nil {
		return err
	}
	return tell.Encode(state{Kept: n})
}

// A keepRun is what one run of a keeper gave.
type keepRun struct {
	load
	server   time.Duration // processor time of the server's process for each request
	database time.Duration // of PostgreSQL's, as well
	others   float64       // processors that other programs used meanwhile
}

// runKeeper starts the keeper and the generator, each a process of its own, for
// one run on an empty store. What was answered must be what is stored.
func runKeeper(ctx context.Context, s *site, k keeper, senders int, d time.Duration, profiles string) (r keepRun, err error) {
	at, remove, err := s.make(ctx, k.in)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	p, err := startKeeper(ctx, k, at, profiles)
	if err != nil {
		return r, err
	}
	before, err := p.ask()
	if err == nil {
		start, busy, database := time.Now(), busyTime(), s.used()
		r.load, err = sendTo(ctx, p.addr, senders, d)
		if err == nil {
			after, failed := p.ask()
			err = failed
			busy, database = busyTime()-busy, s.used()-database
			server := after.CPU - before.CPU
			r.server, r.database = server/time.Duration(r.Requests), database/time.Duration(r.Requests)
			r.others = max(0, float64(busy-server-database-r.CPU)/float64(time.Since(start)))
		}
	}
	last, ended := p.end()
	if err = errors.Join(err, ended); err == nil && last.Kept != r.Requests {
		err = fmt.Errorf("%d pushes were answered 202, %d are kept", r.Requests, last.Kept)
	}
	return r, err
}

func sendTo(ctx context.Context, addr string, senders int, d time.Duration) (load, error) {
	var l load
	out, err := again(ctx, "send", addr, strconv.Itoa(senders), d.String()).Output()
	if err != nil {
		return l, fmt.Errorf("generator: %w", err)
	}
	return l, json.Unmarshal(out, &l)
}

// A process is a keeper's.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	addr string
}

func startKeeper(ctx context.Context, k keeper, at, profiles string) (*process, error) {
	cmd := again(ctx, "keep", k.name, at, profiles)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: in, out: json.NewDecoder(out)}
	var first state
	if err := p.out.Decode(&first); err != nil {
		_, ended := p.end()
		return nil, fmt.Errorf("no address: %w", errors.Join(err, ended))
	}
	p.addr = first.Addr
	return p, nil
}

func (p *process) ask() (s state, err error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return s, err
	}
	return s, p.out.Decode(&s)
}

// end lets the process end and returns the last that it told.
func (p *process) end() (s state, err error) {
	_ = p.in.Close() // it ends with its input
	err = p.out.Decode(&s)
	return s, errors.Join(err, p.cmd.Wait())
}

// again is this program once more, on all processors.
func again(ctx context.Context, args ...string) *exec.Cmd {
	me, err := os.Executable()
	if err != nil {
		me = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, me, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// keepCommand and sendCommand are the two processes of a run, used by the
// program itself.
func keepCommand(args []string) error {
	if len(args) != 3 {
		return errors.New("keep needs a name, a place and a folder for profiles")
	}
	k, ok := findKeeper(args[0])
	if !ok {
		return fmt.Errorf("no contender %q", args[0])
	}
	return keepIn(k, args[1], args[2], os.Stdin, os.Stdout)
}

func sendCommand(args []string) error {
	if len(args) != 3 {
		return errors.New("send needs an address, a number of senders and a time")
	}
	senders, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	return sendPushes(os.Stdout, args[0], senders, d)
}
