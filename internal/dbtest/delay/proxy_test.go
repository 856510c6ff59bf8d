package delay_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/delay"
)

// echo answers each connection with what it sends, and ends with it.
func echo(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func start(t *testing.T, server string, trip time.Duration) (*delay.Proxy, *net.TCPConn) {
	t.Helper()
	p, err := delay.Start(server, trip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return p, conn.(*net.TCPConn)
}

// On a busy machine only the minimum is certain.
func TestAnAnswerTakesARoundTrip(t *testing.T) {
	const trip = 40 * time.Millisecond
	begin := time.Now()
	_, conn := start(t, echo(t), trip)
	for i, least := range []time.Duration{2 * trip, 3 * trip} { // with the handshake before the first
		if _, err := conn.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < least {
			t.Errorf("%d answers took %v, want at least %v", i+1, took, least)
		}
	}
}

func TestClosingOneDirectionLeavesTheOtherOpen(t *testing.T) {
	_, conn := start(t, echo(t), 2*time.Millisecond)
	if _, err := conn.Write([]byte("all of it")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "all of it" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCloseBreaksConnections(t *testing.T) {
	p, conn := start(t, echo(t), 0)
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes through a closed proxy", n)
	}
	if _, err := net.Dial("tcp", p.Addr()); err == nil {
		t.Error("a closed proxy accepts connections")
	}
}

func TestAMissingServerEndsTheConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, conn := start(t, nowhere, 0)
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a missing server", n)
	}
}
