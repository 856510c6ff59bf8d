package sender

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A Load is what a generator measured.
type Load struct {
	Requests int           // all, including those of the warm-up
	Rate     float64       // requests per second after the warm-up
	P50, P99 time.Duration // after the warm-up
	CPU      time.Duration // of the generator's process
}

// An Order is the task of the process "load": to send over that many connections,
// each with one request at a time, for that time after a quarter of it to warm up,
// and longer until each connection has had an answer. It speaks HTTP/1.1 by hand,
// because the client of net/http costs more than the servers under test.
type Order struct {
	Addr        string
	Connections int
	Time        time.Duration
	// Pushes are those of a [Pusher] for each connection. Otherwise all requests are
	// RealPush as From sends it.
	Pushes bool
	From   Sender
}

// Commands has the process of a generator, whose result is a [Load].
var Commands = env.Commands{"load": env.Task(func(_ context.Context, o Order) (any, error) { return o.send() })}

// send sends what was ordered. A forged push must be refused.
func (o Order) send() (Load, error) {
	if o.Pushes {
		if err := refused(o.Addr, NewPusher(o.Connections).Forged()); err != nil {
			return Load{}, err
		}
	}
	same := wireForm(o.From, RealPush.Text)
	requests := make([]func() []byte, o.Connections)
	for i := range requests {
		if requests[i] = func() []byte { return same }; o.Pushes {
			requests[i] = NewPusher(i).Next
		}
	}
	begin := time.Now().Add(o.Time / 4)
	end := begin.Add(o.Time)
	var clients sync.WaitGroup
	results := make([]client, o.Connections)
	for i := range results {
		clients.Go(func() { results[i].send(o.Addr, requests[i], begin, end) })
	}
	clients.Wait()
	return gather(results, time.Since(begin))
}

// gather makes one Load of the results of all clients.
func gather(clients []client, elapsed time.Duration) (Load, error) {
	var l Load
	var took []time.Duration
	for _, c := range clients {
		if c.err != nil {
			return Load{}, c.err
		}
		l.Requests += c.requests
		took = append(took, c.took...)
	}
	slices.Sort(took)
	l.Rate = float64(len(took)) / elapsed.Seconds()
	l.P50, l.P99, l.CPU = took[len(took)/2], took[len(took)*99/100], pace.ProcessTime()
	return l, nil
}

// wireForm returns the bytes of a call on the connection.
func wireForm(from Sender, text string) []byte {
	header, path := Header(from, text)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: hooks.lantern.example\r\n", path)
	_ = header.Write(&b) // a Buffer takes everything
	b.WriteString("\r\n")
	b.WriteString(text)
	return b.Bytes()
}

// A client is one connection.
type client struct {
	requests int
	took     []time.Duration
	err      error
}

// send sends what next returns until that time.
func (c *client) send(addr string, next func() []byte, begin, end time.Time) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		c.err = err
		return
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for {
		request := next()
		start := time.Now()
		if start.After(end) && len(c.took) > 0 {
			return
		}
		if _, c.err = conn.Write(request); c.err != nil {
			return
		}
		if c.err = readAnswer(answers); c.err != nil {
			return
		}
		c.requests++
		if start.After(begin) {
			c.took = append(c.took, time.Since(start))
		}
	}
}

var lengthName = []byte("Content-Length: ")

// readAnswer reads an answer, which must be a 202 with a Content-Length.
func readAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 202 ")) {
		return fmt.Errorf("answered %q", line)
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, lengthName); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("answer without Content-Length")
	}
	_, err = r.Discard(length)
	return err
}
