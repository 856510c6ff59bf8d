package sender

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A Load is what a generator measured.
type Load struct {
	Requests int           // all, including those of the warm-up
	Rate     float64       // requests per second after the warm-up
	P50, P99 time.Duration // after the warm-up
	CPU      time.Duration // of the generator's process
}

// Generate sends to addr over so many connections, each with one request at a
// time, for d after a quarter of d to warm up, and longer until each connection
// has had an answer. The requests of connection i are what next(i) returns. They
// may share memory: each is answered before the next one is made. Generate speaks
// HTTP/1.1 by hand, because the client of net/http costs more than the servers
// that it would measure.
func Generate(addr string, connections int, d time.Duration, next func(i int) func() []byte) (Load, error) {
	requests := make([]func() []byte, connections)
	for i := range requests {
		requests[i] = next(i)
	}
	begin := time.Now().Add(d / 4)
	end := begin.Add(d)
	var clients sync.WaitGroup
	results := make([]client, connections)
	for i := range results {
		clients.Go(func() { results[i].send(addr, requests[i], begin, end) })
	}
	clients.Wait()
	return gather(results, time.Since(begin))
}

// Same returns the call of one body, again and again, for [Generate].
func Same(from Sender, text string) func(i int) func() []byte {
	request := wireForm(from, text)
	return func(int) func() []byte { return func() []byte { return request } }
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
