package inspect

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// An answerWriter passes an answer on, and keeps its status and its beginning.
type answerWriter struct {
	http.ResponseWriter

	mu     sync.Mutex // handlers may write in goroutines of their own
	status int        // zero: nothing was written
	taken  bool       // the connection was taken over
	sends  bool       // a part was flushed
	text   []byte
	cut    bool
}

// Unwrap returns the original, for an [http.ResponseController].
func (a *answerWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader writes the status.
func (a *answerWriter) WriteHeader(status int) {
	a.begin(status)
	a.ResponseWriter.WriteHeader(status)
}

// Write writes a part of the body.
func (a *answerWriter) Write(part []byte) (int, error) {
	a.begin(http.StatusOK)
	a.keep(part)
	return a.ResponseWriter.Write(part)
}

// begin keeps the first status that is not informational.
func (a *answerWriter) begin(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
}

func (a *answerWriter) keep(part []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if room := maxCallAnswer - len(a.text); len(part) > room {
		part, a.cut = part[:room], true
	}
	a.text = append(a.text, part...)
}

// sent returns what was written. A handler that returns and has written nothing has sent 200.
// What one wrote that panicked is not sent, unless it was flushed.
func (a *answerWriter) sent(returned bool) (status int, text []byte, cut bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == 0 && returned && !a.taken {
		a.status = http.StatusOK
	}
	if !returned && !a.sends {
		return 0, nil, false
	}
	return a.status, a.text, a.cut
}

// wrap returns a ResponseWriter that has the optional methods of the original.
func (a *answerWriter) wrap() http.ResponseWriter {
	_, flushes := a.ResponseWriter.(http.Flusher)
	hijacker, hijacks := a.ResponseWriter.(http.Hijacker)
	pusher, pushes := a.ResponseWriter.(http.Pusher)
	switch {
	case flushes && hijacks:
		return hijackWriter{flushWriter{a}, hijacker}
	case flushes && pushes:
		return pushWriter{flushWriter{a}, pusher}
	case flushes:
		return flushWriter{a}
	default:
		return a
	}
}

// A flushWriter is an answerWriter of an original that flushes.
type flushWriter struct{ *answerWriter }

// Flush writes the header, if it is not written yet, and what is buffered.
func (f flushWriter) Flush() { _ = f.FlushError() }

// FlushError is Flush with the error of the original, if it returns one.
func (f flushWriter) FlushError() error {
	f.begin(http.StatusOK)
	f.mu.Lock()
	f.sends = true
	f.mu.Unlock()
	return http.NewResponseController(f.ResponseWriter).Flush()
}

// A hijackWriter is a flushWriter of HTTP/1.
type hijackWriter struct {
	flushWriter
	hijacker http.Hijacker
}

// Hijack takes the connection over.
func (h hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := h.hijacker.Hijack()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken = h.taken || err == nil
	return conn, buffer, err
}

// A pushWriter is a flushWriter of HTTP/2.
type pushWriter struct {
	flushWriter
	http.Pusher
}
