package delay

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A hundred messages that are sent one millisecond apart arrive one millisecond apart:
// none waits for the one before.
func TestEachMessageIsDelayedAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			delay = 20 * time.Millisecond
			n     = 100
		)
		sender, from := net.Pipe()
		to, receiver := net.Pipe()
		go relay(to, from, delay, time.Now())
		begin := time.Now()
		go func() {
			for i := range n {
				_ = binary.Write(sender, binary.BigEndian, int64(i))
				<-time.After(time.Millisecond)
			}
			_ = sender.Close()
		}()
		for i := range n {
			var got int64
			if err := binary.Read(receiver, binary.BigEndian, &got); err != nil {
				t.Fatal(err)
			}
			if got != int64(i) {
				t.Fatalf("message %d is %d", i, got)
			}
			if took, want := time.Since(begin), delay+time.Duration(i)*time.Millisecond; took != want {
				t.Fatalf("message %d took %v, want %v", i, took, want)
			}
		}
		if _, err := receiver.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the sender's end: %v, want EOF", err)
		}
	})
}

func TestNothingArrivesBeforeTheConnectionIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sender, from := net.Pipe()
		to, receiver := net.Pipe()
		begin := time.Now()
		go relay(to, from, 20*time.Millisecond, begin.Add(40*time.Millisecond))
		go func() {
			_, _ = sender.Write([]byte("x"))
			_ = sender.Close()
		}()
		if _, err := io.ReadAll(receiver); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 60*time.Millisecond {
			t.Errorf("it took %v, want 60ms", took)
		}
	})
}

// The sender waits while too much is in flight.
func TestMoreThanFitsInFlightArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := bytes.Repeat([]byte("0123456789abcdef"), 8*maxInFlight)
		sender, from := net.Pipe()
		to, receiver := net.Pipe()
		go relay(to, from, time.Second, time.Now())
		go func() {
			for i := 0; i < len(sent); i += 16 {
				_, _ = sender.Write(sent[i : i+16])
			}
			_ = sender.Close()
		}()
		got, err := io.ReadAll(receiver)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes arrived of %d, %v", len(got), len(sent), err)
		}
	})
}

func TestAClosedSideEndsTheRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sender, from := net.Pipe()
		to, receiver := net.Pipe()
		_ = receiver.Close()
		ended := make(chan struct{})
		go func() {
			relay(to, from, time.Second, time.Now())
			close(ended)
		}()
		if _, err := sender.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		<-ended
		if _, err := sender.Write([]byte("y")); err == nil {
			t.Error("a write to a closed connection succeeded")
		}
	})
}
