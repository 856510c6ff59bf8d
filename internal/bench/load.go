package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// connections is how many the generator keeps busy, each with one request at a
// time.
const connections = 32

// A load is what the generator saw.
type load struct {
	Requests int           // all, warm-up included
	Rate     float64       // requests per second after the warm-up
	P50, P99 time.Duration // after the warm-up
	CPU      time.Duration // of the generator, where it tells
}

// generate sends the contender's call to addr for d, after a quarter of that to
// warm up, and longer if need be until each connection has had an answer. It
// writes a load as JSON. It speaks HTTP/1.1 by hand, because
// net/http's client costs more than the servers that it would measure.
func generate(w io.Writer, c contender, text, addr string, d time.Duration) error {
	request := wireForm(c.from, text)
	same := func() []byte { return request }
	begin := time.Now().Add(d / 4)
	end := begin.Add(d)
	var (
		clients sync.WaitGroup
		results [connections]client
	)
	for i := range results {
		clients.Go(func() { results[i].send(addr, same, begin, end) })
	}
	clients.Wait()
	l, err := gather(results[:], time.Since(begin))
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(l)
}

// gather makes one load of what all clients saw.
func gather(clients []client, elapsed time.Duration) (load, error) {
	var l load
	var took []time.Duration
	for _, c := range clients {
		if c.err != nil {
			return load{}, c.err
		}
		l.Requests += c.requests
		took = append(took, c.took...)
	}
	slices.Sort(took)
	l.Rate = float64(len(took)) / elapsed.Seconds()
	l.P50, l.P99 = took[len(took)/2], took[len(took)*99/100]
	return l, nil
}

// wireForm is the call as its bytes on the connection.
func wireForm(from sender, text string) []byte {
	header, path := headerOf(from, text)
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

// send sends what next returns, which may change once it is answered.
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

// readAnswer takes one answer off the connection; it must be a 202 that tells
// its length.
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
