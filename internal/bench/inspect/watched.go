package inspect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// maxPuts is how many Puts run at a time, at most.
const maxPuts = 64

// A puts has the times of Puts, by rounds.
type puts struct {
	puts     int
	p50, p99 []float64 // ms
}

// A watched has Puts without viewers, with those of the inspector, and with those of a handler
// that streams constant bytes.
type watched struct {
	without, with, constant puts
	updates                 int64 // that the viewers of the inspector have read
}

// measureWatched puts without viewers and with them, in turns. The order changes from pair to
// pair, but that the constant stream is as the inspector's of the same pair was.
func (c command) measureWatched(ctx context.Context, sc *scene) (v watched, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return v, err
	}
	control, mux := new(constant), http.NewServeMux()
	mux.Handle("/", sc.inspector)
	mux.Handle("/constant", control)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ConnContext: smallBuffer}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
			err = errors.Join(err, failed)
		}
	}()
	if _, err := c.put(ctx, sc, c.time/4); err != nil { // fills caches
		return v, err
	}
	for pair := range c.pairs {
		for _, with := range []bool{pair%2 == 0, pair%2 == 1} {
			if !with {
				if err := c.round(ctx, sc, &v.without); err != nil {
					return v, err
				}
				continue
			}
			at := "http://" + listener.Addr().String()
			read, err := c.withViewers(ctx, sc, at+"/api/live", &v.with)
			if err != nil {
				return v, err
			}
			v.updates += read.Updates
			reading := int64(c.viewers * readers / 10)
			control.set(read.Updates/reading, read.Bytes/reading, c.time)
			if _, err := c.withViewers(ctx, sc, at+"/constant", &v.constant); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

// smallBuffer gives a connection of the server a small buffer. With that of the system a
// viewer that does not read would be noticed only after minutes.
func smallBuffer(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(16 << 10)
	}
	return ctx
}

// withViewers puts while another process has the viewers of a stream, and returns what they have
// read meanwhile.
func (c command) withViewers(ctx context.Context, sc *scene, stream string, to *puts) (read viewing, err error) {
	var before, after viewing
	child, err := env.Start(env.Self(ctx, "inspect-viewers", viewing{URL: stream, Viewers: c.viewers}), &before)
	if err != nil {
		return read, err
	}
	defer child.Kill()
	if before.Viewers != c.viewers {
		return read, fmt.Errorf("%d viewers, want %d", before.Viewers, c.viewers)
	}
	if err := c.round(ctx, sc, to); err != nil {
		return read, err
	}
	if err := child.End(&after); err != nil {
		return read, err
	}
	if after.Updates <= before.Updates {
		return read, errors.New("the viewers have read nothing of the Puts")
	}
	return viewing{Viewers: c.viewers, Updates: after.Updates - before.Updates, Bytes: after.Bytes - before.Bytes}, nil
}

// round puts for a while and adds the times.
func (c command) round(ctx context.Context, sc *scene, to *puts) error {
	took, err := c.put(ctx, sc, c.time)
	if err != nil {
		return err
	}
	to.puts += len(took)
	to.p50 = append(to.p50, env.Median(took))
	to.p99 = append(to.p99, env.Quantile(took, 0.99))
	return nil
}

// put puts at the rate for a while and returns how long each Put took, in ms. A Put begins
// when its time has come, also if others have not ended.
func (c command) put(ctx context.Context, sc *scene, d time.Duration) (took []float64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, maxPuts)
	tick := time.NewTicker(time.Second / time.Duration(c.rate))
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; <-tick.C {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			n := int(sc.number.Add(1))
			delivery := pace.Delivery(n, fmt.Sprint("live", n%1000))
			start := time.Now()
			if err := sc.Put(ctx, delivery); err != nil {
				cancel(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, env.Millis(time.Since(start)))
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if len(took) == 0 {
		return nil, errors.New("no Put in all that time")
	}
	return took, nil
}
