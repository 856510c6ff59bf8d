package inspect

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Watch returns a handler that serves what receiver serves, and keeps the last calls for the
// page "Calls". receiver is a [webhook.Receiver] of source, or has one in it. The result
// answers as receiver does, at about the same cost:
//
//   - It reads nothing of a body that receiver does not read.
//   - It takes no lock while something is read, and waits for no viewer.
//   - Calls are kept in memory, bounded by [Inspector.Calls] and [Inspector.CallBytes], and
//     a restart loses them.
//   - The ResponseWriter of receiver is another one. It is an http.Flusher, an http.Hijacker
//     and an http.Pusher if the original is, and an [http.ResponseController] reaches that. An
//     [http.MaxBytesReader] in receiver does not close the connection, as with any wrapper.
//
// The keys of all watched Sources are used to find out why a call was refused, so mount each
// receiver of the program with Watch. Watch may be called concurrently. It panics if receiver
// is nil.
func (in *Inspector) Watch(source webhook.Source, receiver http.Handler) http.Handler {
	if receiver == nil {
		panic("inspect: Watch needs a receiver")
	}
	in.watched.add(source)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls, most := in.limits(); calls == 0 || most == 0 {
			receiver.ServeHTTP(w, r)
			return
		}
		c := &watchedCall{
			in: in, source: source, began: time.Now(), limit: in.bodyLimit(), answer: answerWriter{ResponseWriter: w},
			header: r.Header, url: r.URL, length: r.ContentLength,
		}
		if len(r.Header) <= maxSorted {
			c.header = maps.Clone(r.Header)
		}
		inner := r.WithContext(webhook.WithObserver(r.Context(), &webhook.Observer{Rejected: c.rejected, Received: c.received}))
		if r.Body != nil && r.Body != http.NoBody {
			inner.Body, c.hasBody = &watchedBody{r.Body, c}, true
		}
		defer func() { // also if receiver panics
			if r.MultipartForm == nil {
				r.MultipartForm = inner.MultipartForm // the server removes its files
			}
			c.finish(inner)
		}()
		receiver.ServeHTTP(c.answer.wrap(), inner)
		c.returned = true
	})
}

// A watchedCall is a call in progress.
type watchedCall struct {
	in       *Inspector
	source   webhook.Source
	began    time.Time
	limit    int // of body
	answer   answerWriter
	header   http.Header // as it came: a handler may change that of the request
	url      *url.URL
	length   int64
	hasBody  bool
	returned bool

	mu       sync.Mutex // handlers may read in goroutines of their own
	finished bool
	body     []byte // its beginning
	read     int64
	full     bool  // no more of the body is kept
	err      error // of the last Read
	closed   bool  // it was read after somebody had closed it
	observed bool  // the receiver has refused or handled the call
	class    string
	reason   string
	uid, typ string
	dup      bool
}

// rejected is the Rejected of an Observer.
func (c *watchedCall) rejected(_ context.Context, _ string, status int, reason error) {
	class, text := safely(status, reason)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.observed, c.class, c.reason = true, class, text
}

// received is the Received of an Observer.
func (c *watchedCall) received(_ context.Context, d *webhook.Delivery, err error, _ time.Duration) {
	uid, typ, dup := d.UID, d.Type, false
	class, text := "", ""
	if err != nil {
		if class, text = safely(0, err); text != "" {
			text = "the handler refused an authentic call: " + text
		}
		dup, uid = duplicateOf(err, uid)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.observed, c.class, c.reason, c.uid, c.typ, c.dup = true, class, text, uid, typ, dup
}

// safely returns the class and the text of an error. The methods of an error of the
// program may panic.
func safely(status int, err error) (class, text string) {
	defer func() {
		if recover() != nil {
			class, text = "panic", ""
		}
	}()
	class = classOf(status, err)
	return class, saidBy(class, err)
}

// duplicateOf returns whether err is that of a duplicate, and the UID of the delivery that was
// stored first, which is empty if err does not have it.
func duplicateOf(err error, uid string) (dup bool, first string) {
	defer func() {
		if recover() != nil {
			dup, first = false, uid
		}
	}()
	if !webhook.IsDuplicate(err) {
		return false, uid
	}
	if known, ok := errors.AsType[*webhook.DuplicateError](err); ok {
		return true, known.UID
	}
	return true, ""
}

// finish keeps the call. r is the request as receiver had it.
func (c *watchedCall) finish(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	defer c.reserve(-cap(c.body))
	k := &keptCall{
		at: c.began, took: time.Since(c.began), source: c.source, method: strings.Clone(clip(r.Method, 32)), pattern: r.Pattern, client: r.RemoteAddr,
		length: c.length, read: c.read, end: c.end(), closed: c.closed, parsed: r.PostForm != nil || r.MultipartForm != nil,
		class: c.class, said: c.reason, uid: strings.Clone(c.uid), typ: strings.Clone(c.typ), duplicate: c.dup,
	}
	k.status, k.answer, k.answerCut = c.answer.sent(c.returned)
	if !c.observed && k.status < 400 && len(k.answer) > 0 {
		// A handshake, whose answer may have a MAC that a sender asks for, or a redirect, which
		// has the path of the call.
		k.answer, k.answerCut, k.answerHidden = nil, false, true
	}
	if k.refused() {
		k.header, k.headersLeft = smallHeader(c.header, c.in.part(maxCallHeader))
		k.body, k.bodyCut = bytes.Clone(c.body), int64(len(c.body)) < c.read
		k.keepURL(c.url, r)
		k.answer = []byte(k.withoutTokens(string(k.answer)))
		k.shown = sync.OnceValue(func() string { return clip(k.withoutTokens(shownReason(k.said)), maxReason) })
		if k.class == "" {
			k.class = "other"
		}
		if !c.returned {
			k.class = "panic"
		}
	} else {
		k.class, k.said = "", "" // such as ErrIgnored
	}
	k.bytes = k.size()
	calls, most := c.in.limits()
	c.in.calls.add(k, calls, most)
	c.body, c.header, c.url = nil, nil, nil // the program may keep the request, or its context
}
