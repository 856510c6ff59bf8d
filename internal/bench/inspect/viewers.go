package inspect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

const (
	// readers is how many of ten viewers read.
	readers = 9
	// openAgain is how often a viewer that does not read opens another stream. The inspector
	// ends one after five seconds.
	openAgain = 6 * time.Second
	// lateUpdate is how long the viewers wait for the first update, if they have had none.
	lateUpdate = 20 * time.Second
)

// A viewing is the task of the process of the viewers, and what it prints: when each of them
// has got something, and at the end.
type viewing struct {
	URL     string
	Viewers int
	Updates int64 // events that were read
	Bytes   int64 // in these
}

// Commands has that process. It ends with its input.
var Commands = env.Commands{"inspect-viewers": env.Task(func(ctx context.Context, v viewing) (any, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var read readings
	var viewers sync.WaitGroup
	opened, failed := make(chan struct{}, v.Viewers), make(chan error, v.Viewers)
	for i := range v.Viewers {
		look := func() error { return readUpdates(ctx, v.URL, opened, &read) }
		if i%10 >= readers {
			look = func() error { return openOnly(ctx, v.URL, opened) }
		}
		viewers.Go(func() {
			if err := look(); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	for range v.Viewers {
		select {
		case <-opened:
		case err := <-failed:
			return nil, err
		}
	}
	v.Updates, v.Bytes = read.updates.Load(), read.bytes.Load()
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		return nil, err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	late := time.NewTimer(lateUpdate) // what was put last may arrive after the end of the input
	defer late.Stop()
	for now := true; now && read.updates.Load() == v.Updates; {
		select {
		case <-late.C:
			now = false
		case <-time.After(time.Millisecond):
		}
	}
	v.Updates, v.Bytes = read.updates.Load(), read.bytes.Load()
	stop()
	viewers.Wait()
	select {
	case failure := <-failed:
		err = errors.Join(err, failure)
	default:
	}
	return v, err
})}

// Readings are what all viewers have read.
type readings struct{ updates, bytes atomic.Int64 }

// readUpdates reads a stream until ctx ends.
func readUpdates(ctx context.Context, stream string, opened chan<- struct{}, read *readings) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, stream, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("a viewer got %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for first := true; lines.Scan(); {
		if !bytes.HasPrefix(lines.Bytes(), []byte("data: ")) {
			continue
		}
		read.bytes.Add(int64(len(lines.Bytes())))
		read.updates.Add(1)
		if first {
			opened <- struct{}{}
			first = false
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the stream of a viewer that reads has ended")
}

// openOnly opens a stream and does not read it, and later another one, until ctx ends.
func openOnly(ctx context.Context, stream string, opened chan<- struct{}) error {
	u, err := url.Parse(stream)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
		if err != nil {
			return err
		}
		if c, ok := conn.(*net.TCPConn); ok {
			_ = c.SetReadBuffer(4 << 10)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.Path, u.Host); err != nil {
			return errors.Join(err, conn.Close())
		}
		if first {
			opened <- struct{}{}
		}
		timer := time.NewTimer(openAgain)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if err := conn.Close(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}
