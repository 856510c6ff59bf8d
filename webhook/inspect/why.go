package inspect

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// whyEvery and whyMost bound the diagnoses for all viewers: at most whyMost in whyEvery,
	// one at a time.
	whyEvery = time.Minute
	whyMost  = 30
	// maxMACs and maxHashed bound what a diagnosis computes.
	maxMACs   = 400
	maxHashed = 32 << 20
)

// A finding is a likely cause of a refusal. The names of causes are in doc.go.
type finding struct {
	Cause     string `json:"cause"`
	Help      string `json:"help"`
	certainty certainty
}

// A certainty is how certain a finding is.
type certainty int

const (
	guessed  certainty = iota // what remains
	observed                  // the call has it
	proven                    // a MAC is right
)

// A diagnosis is why a call was refused, the likeliest cause first.
type diagnosis struct {
	findings []finding
	// note is what was not looked at; empty if there is nothing.
	note string
}

// A whyLimit bounds the diagnoses over all viewers.
type whyLimit struct {
	slot chan struct{} // one at a time

	mu    sync.Mutex
	since time.Time // when the present whyEvery began
	made  int
}

// allow reports whether a diagnosis may be made now, and otherwise how long to wait.
func (l *whyLimit) allow(now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := now.Sub(l.since); age >= whyEvery || age < 0 {
		l.since, l.made = now, 0
	}
	if l.made == whyMost {
		return whyEvery - now.Sub(l.since), false
	}
	l.made++
	return 0, true
}

// known returns the diagnosis that was made before, or nil.
func (k *keptCall) known() *diagnosis {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.why
}

// diagnose returns why a call was refused. It finds that out when a person asks for the first
// time, and keeps it with the call.
func (in *Inspector) diagnose(ctx context.Context, k *keptCall) (diagnosis, error) {
	if d := k.known(); d != nil {
		return *d, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := takeSlot(ctx, in.why.slot); err != nil {
		return diagnosis{}, err
	}
	defer func() { <-in.why.slot }()
	if d := k.known(); d != nil {
		return *d, nil
	}
	if wait, ok := in.why.allow(time.Now()); !ok {
		return diagnosis{note: fmt.Sprintf("The cause was not looked for: %d calls were examined in the last minute, which is the limit. Load this page again in %d seconds.",
			whyMost, int(wait/time.Second)+1)}, nil
	}
	d, transient := in.examine(ctx, k)
	if transient || ctx.Err() != nil { // if the viewer has gone, funcs of the program may fail
		return d, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.why = &d
	return d, nil
}

// An examination looks for the cause of one refusal.
type examination struct {
	call    *keptCall
	r       *http.Request
	sources []webhook.Source // that are watched
	old     []webhook.Key

	macs      int   // that may still be computed
	bytes     int64 // that may still be hashed, or made of the body
	exhausted bool
	transient bool // something could not be looked up
	found     []finding
	notes     []string
}

// examine looks for the cause, and reports whether another time it may find more. A func of the
// program that it calls may panic.
func (in *Inspector) examine(ctx context.Context, k *keptCall) (d diagnosis, transient bool) {
	sources, _ := in.watched.all()
	x := &examination{call: k, r: k.request().WithContext(ctx), sources: sources, old: in.OldKeys, macs: maxMACs, bytes: maxHashed}
	func() {
		defer func() {
			if p := recover(); p != nil {
				in.logger().Error("inspector: a diagnosis panicked", "source", k.source.Name, "panic", p)
				x.note("A func of the program panicked while the cause was looked for; the log has more.")
			}
		}()
		x.run()
	}()
	if x.exhausted {
		x.note("The limit of signatures was reached before all was tried.")
	}
	slices.SortStableFunc(x.found, func(a, b finding) int { return int(b.certainty) - int(a.certainty) })
	for _, f := range x.found {
		if f.certainty == guessed && x.found[0].certainty != guessed {
			continue // what is known makes guesses needless
		}
		if !slices.Contains(d.findings, f) {
			d.findings = append(d.findings, f)
		}
	}
	for _, n := range slices.Compact(x.notes) {
		if d.note != "" {
			d.note += " "
		}
		d.note += n
	}
	return d, x.transient
}

func (x *examination) add(c certainty, cause, format string, args ...any) {
	x.found = append(x.found, finding{cause, fmt.Sprintf(format, args...), c})
}

func (x *examination) note(text string) { x.notes = append(x.notes, text) }

// run looks for the cause by the class of the reason.
func (x *examination) run() {
	k := x.call
	switch {
	case k.uid != "" && k.class != "other":
		x.add(observed, "handler", "The call is authentic, and its handler or the inbox failed. The log says why.")
	case k.class == "method":
		x.add(observed, "method", "The method is %s. A sender posts; a redirect makes a GET of a POST, so see whether the URL at the sender redirects: "+
			"http to https, another host, or a slash at its end.", k.method)
	case k.class == "media_type":
		x.add(observed, "media_type", "The Content-Type is %q, and the source takes %q. Choose it at the sender.", clip(k.header.Get("Content-Type"), 64), k.source.ContentTypes)
	case k.class == "too_large":
		x.add(observed, "too_large", "The body is larger than MaxBody of the source, or than an http.MaxBytesReader in front of the receiver allows. The reason above has the limit.")
	case k.closed:
		x.add(observed, "body_read_before", "A handler of this program has read and closed the body before the receiver could read it. Let it run after the receiver, or let it put back what it reads.")
	case k.end == bodyBroken:
		x.add(observed, "body_broken", "The body broke off after %s: the sender or a proxy ended the connection, or the body took too long.", x.ofLength())
	case k.end == bodyShort:
		x.readBefore()
	case k.class == "malformed" && k.length >= 0 && k.read > k.length:
		x.add(observed, "body_read_before", "The receiver got a body of more than the %d bytes of Content-Length: a handler of this program, such as one that decompresses, has replaced it. "+
			"Let it run after the receiver, which checks the signature of what was sent.", k.length)
	case k.class == "malformed":
		x.add(observed, "malformed", "The body does not have the form that the sender documents, or the handshake refused the call. The reason above says more.")
	case k.class == "overloaded":
		x.add(observed, "overloaded", "A limit of memory or time was reached, or keys or a URL could not be looked up. The log says which.")
	case k.class == "panic":
		x.add(observed, "panic", "The receiver panicked. The log has the stack.")
	case k.class == "failed":
		x.add(observed, "failed", "The receiver failed. The log says why.")
	case k.class == "other" && k.status != http.StatusUnauthorized && k.status != http.StatusForbidden:
		x.unknown()
	case k.class == "body_read":
		if k.source.Verifier != nil {
			x.verifier(k.source.Verifier)
		}
		if !slices.ContainsFunc(x.found, func(f finding) bool { return f.Cause == "body_read_before" }) {
			x.readBefore()
		}
	case k.source.Verifier == nil:
	default:
		x.verifier(k.source.Verifier)
		if len(x.found) == 0 {
			x.unknown()
		}
	}
}

// unknown says what can be said if nothing was found.
func (x *examination) unknown() {
	if x.call.class == "other" {
		x.add(guessed, "other", "Another handler of this program answered, and not the receiver: one in front of it, or the one behind Source.Middleware.")
		return
	}
	x.add(guessed, "unknown", "No cause was found. The reason above is what the receiver says.")
}

// ofLength says how much of the body was read.
func (x *examination) ofLength() string {
	if x.call.length < 0 {
		return fmt.Sprintf("%d bytes", x.call.read)
	}
	return fmt.Sprintf("%d of %d bytes", x.call.read, x.call.length)
}

// readBefore says that the receiver did not get the whole body. A sender cannot cause that.
func (x *examination) readBefore() {
	by := "such as a middleware that logs or parses it"
	if x.call.parsed {
		by = "and it was parsed as a form"
	}
	got := "The receiver got " + x.ofLength() + ", without an error"
	if x.call.read >= x.call.length {
		got = "The receiver did not get the whole body"
	}
	x.add(observed, "body_read_before", "%s: a handler of this program read the body first, %s. Let it run after the receiver, or let it put back what it reads.", got, by)
}
