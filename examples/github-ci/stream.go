package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	// chunkSize is the maximum number of bytes of a log in one event.
	chunkSize = 32 << 10
	// heartbeatInterval is how often an idle stream sends a comment, so that proxies
	// keep it open, and checks for changes that it was not notified of.
	heartbeatInterval = 15 * time.Second
	// sendTimeout is how long sending one event may take.
	sendTimeout = 10 * time.Second
	// maxStreams is the maximum number of open streams.
	maxStreams = 200
)

// streams tracks the connections that follow logs. They do not end by themselves
// while a build runs, so stop ends them.
type streams struct {
	slots chan struct{}
	done  context.Context
	stop  context.CancelFunc // registered with http.Server.RegisterOnShutdown
}

func newStreams() *streams {
	done, stop := context.WithCancel(context.Background())
	return &streams{make(chan struct{}, maxStreams), done, stop}
}

// events streams a log as server-sent events:
//
//   - A message has a part of the log as a JSON string. Its id is the offset after
//     the part, so a browser that lost the connection resumes there.
//   - A "state" event has a JSON object. It is sent when the state changes.
//   - An "end" event is the last one.
func (p *pages) events(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	select {
	case p.streams.slots <- struct{}{}:
		defer func() { <-p.streams.slots }()
	default:
		http.Error(w, "too many open log streams", http.StatusServiceUnavailable)
		return
	}
	// A browser that reconnects sends the id of the last event it has received.
	offset, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		offset, _ = strconv.ParseInt(r.FormValue("from"), 10, 64)
	}
	f := follower{pages: p, w: w, controller: http.NewResponseController(w), id: b.ID, offset: max(0, offset)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	if err := f.follow(r.Context()); err != nil {
		p.log.Debug("log stream ended", "build", b.ID, "reason", err)
	}
}

// A follower is one connection that follows a log.
type follower struct {
	*pages
	w          http.ResponseWriter
	controller *http.ResponseController
	id         string
	offset     int64
	state      string // the state sent last
}

func (f *follower) follow(ctx context.Context) error {
	for {
		// Get the channel first, then the state, then read the log. So no later change
		// is missed, and the log of a finished build is complete.
		live, changed := f.logs.watch(f.id)
		done := false
		var b build
		if !live || f.state != running { // otherwise only the log can have changed
			var ok bool
			var err error
			if b, ok, err = f.store.get(ctx, f.id); err != nil || !ok {
				return err
			}
			if err := f.sendState(b, "state"); err != nil {
				return err
			}
			done = b.finished() && !live
		}
		if err := f.sendLog(done); err != nil {
			return err
		}
		if done {
			f.state = ""
			return f.sendState(b, "end")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.streams.done.Done():
			return nil
		case <-changed:
		case <-time.After(heartbeatInterval):
			if err := f.send(": keep-alive\n\n"); err != nil {
				return err
			}
		}
	}
}

// sendLog sends the rest of the log. It holds back an incomplete character at the
// end, unless done reports that no more follows.
func (f *follower) sendLog(done bool) error {
	for {
		text, next, err := f.logs.read(f.id, f.offset, chunkSize)
		if err != nil || len(text) == 0 {
			return err
		}
		whole := text
		if !done || len(text) == chunkSize {
			whole = wholeRunes(text)
		}
		if len(whole) == 0 {
			return nil
		}
		f.offset = next - int64(len(text)-len(whole))
		line, err := json.Marshal(string(whole))
		if err != nil {
			return err
		}
		if err := f.send("id: %d\ndata: %s\n\n", f.offset, line); err != nil {
			return err
		}
	}
}

// wholeRunes returns text without an incomplete character at its end.
func wholeRunes(text []byte) []byte {
	for back := 1; back <= min(utf8.UTFMax, len(text)); back++ {
		if tail := text[len(text)-back:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return text
			}
			return text[:len(text)-back]
		}
	}
	return text // not UTF-8
}

func (f *follower) sendState(b build, event string) error {
	if f.state == b.State {
		return nil
	}
	f.state = b.State
	line, err := json.Marshal(map[string]string{"state": b.State, "detail": b.Detail})
	if err != nil {
		return err
	}
	return f.send("event: %s\ndata: %s\n\n", event, line)
}

func (f *follower) send(format string, args ...any) error {
	if err := f.controller.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.w, format, args...); err != nil {
		return err
	}
	return f.controller.Flush()
}
