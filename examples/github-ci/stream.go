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
	// chunk is how much of a log one event has at most, in bytes.
	chunk = 32 << 10
	// silence is how often a stream says that it is there, so that proxies keep
	// it, and looks for what it was not told of.
	silence = 15 * time.Second
	// sendTime is how long a reader may take to take an event.
	sendTime = 10 * time.Second
	// maxStreams bounds those that follow logs at once.
	maxStreams = 200
)

// streams are the connections that follow logs. They have no end of their own,
// so the server ends them.
type streams struct {
	slots chan struct{}
	over  context.Context
	end   context.CancelFunc // goes to http.Server.RegisterOnShutdown
}

func newStreams() *streams {
	over, end := context.WithCancel(context.Background())
	return &streams{make(chan struct{}, maxStreams), over, end}
}

// events follows a log as server-sent events: messages with a JSON string of
// text, whose id is the offset after it, so that a browser that lost the
// connection goes on where it was; "state" with a JSON object when the state
// changes; "end" after the last.
func (p *pages) events(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	select {
	case p.streams.slots <- struct{}{}:
		defer func() { <-p.streams.slots }()
	default:
		http.Error(w, "too many readers follow logs", http.StatusServiceUnavailable)
		return
	}
	// An id in a header is what a browser has already.
	offset, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		offset, _ = strconv.ParseInt(r.FormValue("from"), 10, 64)
	}
	f := follower{pages: p, w: w, control: http.NewResponseController(w), id: b.ID, offset: max(0, offset)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	if err := f.follow(r.Context()); err != nil {
		p.log.Debug("log is followed no more", "build", b.ID, "reason", err)
	}
}

// A follower is one such connection.
type follower struct {
	*pages
	w       http.ResponseWriter
	control *http.ResponseController
	id      string
	offset  int64
	state   string // as told last
}

func (f *follower) follow(ctx context.Context) error {
	for {
		// Ask for the signal first, then for the state, then read: what changes
		// after that is not missed, and the log of a finished build is whole.
		live, changed := f.logs.watch(f.id)
		done := false
		var b build
		if !live || f.state != running { // otherwise nothing but the log can have changed
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
		case <-f.streams.over.Done():
			return nil
		case <-changed:
		case <-time.After(silence):
			if err := f.send(": still here\n\n"); err != nil {
				return err
			}
		}
	}
}

// sendLog sends what there is. A character of which only a part is there waits
// for the rest, unless there will be none.
func (f *follower) sendLog(done bool) error {
	for {
		text, next, err := f.logs.read(f.id, f.offset, chunk)
		if err != nil || len(text) == 0 {
			return err
		}
		whole := text
		if !done || len(text) == chunk {
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

// wholeRunes leaves out a last character that is cut off.
func wholeRunes(text []byte) []byte {
	for back := 1; back <= min(utf8.UTFMax, len(text)); back++ {
		if tail := text[len(text)-back:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return text
			}
			return text[:len(text)-back]
		}
	}
	return text // not UTF-8 at all
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
	if err := f.control.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.w, format, args...); err != nil {
		return err
	}
	return f.control.Flush()
}
