package buildlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	// chunkSize is the maximum number of bytes of a log that are sent at once.
	chunkSize = 32 << 10
	// heartbeatInterval is how often an idle stream sends a comment, so that proxies
	// keep it open, and checks for changes that it was not notified of.
	heartbeatInterval = 15 * time.Second
	// sendTimeout is how long sending one part may take.
	sendTimeout = 10 * time.Second
	// maxStreams is the maximum number of open streams.
	maxStreams = 200
)

// A State is the state of a build, for [Logs.ServeEvents].
type State struct {
	State    string `json:"state"`
	Detail   string `json:"detail"`
	Running  bool   `json:"-"` // does not change before the log is closed
	Finished bool   `json:"-"` // does not change any more
}

// ServeText serves a whole log as plain text. A reader that takes longer than 10 s for one
// part is cut off, and so is each when the context of the request ends.
func (l *Logs) ServeText(w http.ResponseWriter, r *http.Request, build string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	s := sender{w, http.NewResponseController(w), r.Context()}
	for offset := int64(0); ; {
		text, next, err := l.read(build, offset, chunkSize)
		if err != nil || len(text) == 0 || s.send(text) != nil {
			return
		}
		offset = next
	}
}

// ServeEvents streams a log as server-sent events, until the build is finished:
//
//   - A message has a part of the log as a JSON string. Its id is the offset after the part,
//     so a browser that lost the connection resumes there. Otherwise the stream begins at
//     the offset in the form value "from".
//   - A "state" event has a [State] as JSON. It is sent when the state changes.
//   - An "end" event is the last one.
//
// It calls state for the state of the build. It ends when the context of the request ends,
// and answers 503 if there are 200 streams already.
func (l *Logs) ServeEvents(w http.ResponseWriter, r *http.Request, build string, state func(context.Context) (State, error)) error {
	select {
	case l.streams <- struct{}{}:
		defer func() { <-l.streams }()
	default:
		http.Error(w, "too many open log streams", http.StatusServiceUnavailable)
		return nil
	}
	// A browser that reconnects sends the id of the last event it has received.
	offset, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		offset, _ = strconv.ParseInt(r.FormValue("from"), 10, 64)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	defer l.attach(build)()
	f := follower{logs: l, sender: sender{w, http.NewResponseController(w), r.Context()}, build: build, state: state, offset: max(0, offset)}
	return f.follow()
}

// A follower is one connection that follows a log.
type follower struct {
	sender
	logs   *Logs
	build  string
	state  func(context.Context) (State, error)
	offset int64
	last   State // the one sent last
}

func (f *follower) follow() error {
	idle := time.NewTicker(heartbeatInterval)
	defer idle.Stop()
	for {
		// Get the channel first, then the state, then read the log. So no later change
		// is missed, and the log of a finished build is complete.
		live, changed := f.logs.watch(f.build)
		done := false
		if !live || !f.last.Running { // otherwise only the log can have changed
			now, err := f.state(f.ctx)
			if err != nil {
				return err
			}
			if err := f.sendState(now, "state"); err != nil {
				return err
			}
			done = now.Finished && !live
		}
		if err := f.sendLog(done); err != nil {
			return err
		}
		if done {
			last := f.last
			f.last = State{}
			return f.sendState(last, "end")
		}
		select {
		case <-f.ctx.Done():
			return nil
		case <-changed:
		case <-idle.C:
			if err := f.send([]byte(": keep-alive\n\n")); err != nil {
				return err
			}
		}
	}
}

// sendLog sends the rest of the log. It holds back an incomplete character at the end,
// unless done reports that no more follows.
func (f *follower) sendLog(done bool) error {
	for {
		text, next, err := f.logs.read(f.build, f.offset, chunkSize)
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
		if err := f.send(fmt.Appendf(nil, "id: %d\ndata: %s\n\n", f.offset, line)); err != nil {
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

func (f *follower) sendState(now State, event string) error {
	if f.last.State == now.State {
		return nil
	}
	f.last = now
	line, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return f.send(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, line))
}

// errEnded means that the context of the request has ended.
var errEnded = errors.New("the context of the request has ended")

// A sender sends parts of a response, each within sendTimeout.
type sender struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	ctx        context.Context // of the request
}

func (s sender) send(p []byte) error {
	if err := s.controller.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	if s.ctx.Err() != nil { // after the deadline was set: whoever ends ctx may have set an earlier one
		_ = s.controller.SetWriteDeadline(time.Now())
		return errEnded
	}
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	return s.controller.Flush()
}
