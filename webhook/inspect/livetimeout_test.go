package inspect_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A pipeListener accepts one connection, in memory.
type pipeListener struct {
	accepted chan net.Conn
	closed   context.Context
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// A server whose timeouts are for short requests has live lists all the same.
func TestALiveListOutlivesTheTimeoutsOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(context.Background())
		ours, theirs := net.Pipe()
		l := pipeListener{make(chan net.Conn, 1), ctx}
		l.accepted <- theirs
		server := &http.Server{Handler: r.Inspector, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
		go func() { _ = server.Serve(l) }()
		defer synctest.Wait()
		defer func() { _ = server.Close() }()
		defer cancel()
		if _, err := ours.Write([]byte("GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		lines := make(chan string, 1000)
		go func() {
			for s := bufio.NewScanner(ours); s.Scan(); {
				lines <- s.Text()
			}
			close(lines)
		}()
		time.Sleep(time.Minute)
		r.put(delivery("late", "{}"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatal("the stream has ended")
				}
				if strings.Contains(line, `"key":"late"`) {
					return
				}
			default:
				t.Fatal("what is new after a minute does not come")
			}
		}
	})
}
