package inspect

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxCallBody and maxCallHeader are how much of a refused call is kept, and
	// maxCallAnswer how much of an answer.
	maxCallBody   = 256 << 10
	maxCallHeader = 64 << 10
	maxCallAnswer = 1 << 10
	// maxSorted is how many headers are looked at for those that are kept.
	maxSorted = 2000
	// callOverhead is about what a kept call needs beside its texts.
	callOverhead = 1 << 10
)

// A keptCall is a call that a watched receiver has answered. Only its diagnosis changes
// after it is in the ring.
type keptCall struct {
	bytes   int64 // about how much memory it needs
	n       int64 // counts the calls of an Inspector, from 1
	at      time.Time
	took    time.Duration
	source  webhook.Source
	method  string
	pattern string // of the ServeMux; the path may have a token
	client  string
	length  int64 // Content-Length; -1: not announced
	read    int64 // of the body, by the receiver
	end     bodyEnd
	parsed  bool // something has parsed the body as a form
	closed  bool // the receiver read the body after somebody had closed it

	status    int // zero: the receiver panicked, or took the connection over
	answer    []byte
	answerCut bool
	// answerHidden says that the answer is one of a handshake, a redirect, or of a handler
	// behind Source.Middleware, and so is not kept.
	answerHidden bool
	class        string // of the reason; empty if there is none
	said         string // the reason, as it is; empty if only the log has it

	uid, typ  string // of the delivery that the call became, or that it duplicates
	duplicate bool

	// Only a refused call has these.
	header      http.Header
	headersLeft int // that are not kept
	body        []byte
	bodyCut     bool     // body is only its beginning
	url         *url.URL // its path and query
	urlLeft     bool     // it was too long to be kept
	host        string
	pathValues  map[string]string
	shown       func() string // the reason, without what must not be shown
	mu          sync.Mutex
	why         *diagnosis // nil until a person asks
}

// A bodyEnd is how the reading of a body ended.
type bodyEnd string

const (
	bodyNone   bodyEnd = "none"   // the call has none
	bodyUnread bodyEnd = "unread" // nobody has read it
	bodyPartly bodyEnd = "part"   // nobody has read its end
	bodyWhole  bodyEnd = "whole"  // it was read
	bodyShort  bodyEnd = "short"  // it ended before Content-Length
	bodyBroken bodyEnd = "broken" // reading it failed
)

// refused reports whether the sender did not get a success.
func (k *keptCall) refused() bool { return k.status < 200 || k.status > 299 }

// size returns about how much memory the call needs.
func (k *keptCall) size() int64 {
	n := callOverhead + len(k.body) + len(k.answer) + len(k.said) + len(k.method) + len(k.pattern) + len(k.host)
	for name, values := range k.header {
		n += headerSize(name, values)
	}
	if k.url != nil {
		n += 2*len(k.url.Path) + len(k.url.RawPath) + len(k.url.RawQuery)
	}
	return int64(n)
}

func headerSize(name string, values []string) int {
	n := len(name) + 48
	for _, v := range values {
		n += len(v) + 16
	}
	return n
}

// smallHeader returns a copy of the headers that fit into a number of bytes, the short ones
// first, and how many are left out. Of very many, which only an attacker sends, it keeps any.
func smallHeader(h http.Header, room int) (kept http.Header, left int) {
	type header struct {
		name string
		size int
	}
	list := make([]header, 0, min(len(h), maxSorted))
	for name, values := range h {
		if list = append(list, header{name, headerSize(name, values)}); len(list) == maxSorted {
			break
		}
	}
	slices.SortFunc(list, func(a, b header) int { return cmp.Or(cmp.Compare(a.size, b.size), strings.Compare(a.name, b.name)) })
	kept = make(http.Header)
	for i, header := range list {
		if room -= header.size; room < 0 {
			return kept, len(h) - i // the others are as large
		}
		kept[strings.Clone(header.name)] = cloneAll(h[header.name])
	}
	return kept, len(h) - len(list)
}

// cloneAll copies the texts too: they may be parts of a larger one.
func cloneAll(values []string) []string {
	own := make([]string, len(values))
	for i, v := range values {
		own[i] = strings.Clone(v)
	}
	return own
}

// classOf returns the class of the reason for which a call was refused, or of the outcome of
// its delivery. They are in doc.go.
func classOf(status int, err error) string {
	for _, c := range []struct {
		err  error
		name string
	}{
		{webhook.ErrNotStored, "not_stored"}, {webhook.ErrPanic, "panic"}, {webhook.ErrOverloaded, "overloaded"},
		{webhook.ErrUnverified, "unverified"}, {webhook.ErrMediaType, "media_type"}, {webhook.ErrTooLarge, "too_large"},
		{webhook.ErrMalformed, "malformed"}, {webhook.ErrBodyRead, "body_read"},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	if status == http.StatusMethodNotAllowed {
		return "method"
	}
	return "failed"
}

// maxSaid is how much of a reason is kept, and maxReason how much of it is shown.
const (
	maxSaid   = 4 << 10
	maxReason = 1 << 10
)

// saidBy returns the text of a reason, unless it may have what a database or a func of
// the program says: that is for the log.
func saidBy(class string, err error) string {
	switch class {
	case "unverified", "malformed", "media_type", "too_large", "body_read", "method":
		return strings.Clone(clip(err.Error(), maxSaid))
	}
	return ""
}

// reason returns the reason as it is shown. That is made when a person asks for the first time:
// it costs more than to refuse a call.
func (k *keptCall) reason() string {
	if k.said == "" {
		return ""
	}
	return k.shown()
}

// request returns the call as it was received, without its body, for a verifier.
func (k *keptCall) request() *http.Request {
	r := &http.Request{
		Method: k.method, URL: k.url, Host: k.host, Header: k.header, ContentLength: k.length, RemoteAddr: k.client, Pattern: k.pattern,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, RequestURI: k.url.RequestURI(),
	}
	for name, value := range k.pathValues {
		r.SetPathValue(name, value)
	}
	return r
}

// maxCallURL is the longest URL of a call that is kept, for the tokens in it.
const maxCallURL = 8 << 10

// keepURL keeps the URL of a call with what is in its path, unless it is long. It copies the
// texts, which are parts of the first line of the request, of any length.
func (k *keptCall) keepURL(u *url.URL, r *http.Request) {
	k.url, k.host = &url.URL{Path: "/"}, strings.Clone(clip(r.Host, 256))
	if u == nil || 2*len(u.Path)+len(u.RawPath)+len(u.RawQuery) > maxCallURL {
		k.urlLeft = u != nil
		return
	}
	k.url = &url.URL{Path: strings.Clone(u.Path), RawPath: strings.Clone(u.RawPath), RawQuery: strings.Clone(u.RawQuery), ForceQuery: u.ForceQuery}
	k.pathValues = pathValuesOf(r)
	for _, v := range leaves(k.source.Verifier) { // a router of another kind sets no pattern
		if t, ok := v.(*webhook.Token); ok && t.PathValue != "" && r.PathValue(t.PathValue) != "" {
			k.pathValues[t.PathValue] = strings.Clone(r.PathValue(t.PathValue))
		}
	}
}

// pathValuesOf returns the values of the wildcards of the pattern.
func pathValuesOf(r *http.Request) map[string]string {
	values := make(map[string]string)
	for rest := r.Pattern; ; {
		_, after, open := strings.Cut(rest, "{")
		name, next, closed := strings.Cut(after, "}")
		if !open || !closed {
			return values
		}
		if name = strings.TrimSuffix(name, "..."); name != "" && name != "$" {
			values[name] = strings.Clone(r.PathValue(name))
		}
		rest = next
	}
}
