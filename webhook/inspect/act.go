package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// An act is what a person did, as JSON.
type act struct {
	At    time.Time `json:"at"`
	Act   string    `json:"act"`
	UID   string    `json:"uid,omitempty"`
	Seq   int64     `json:"seq,omitempty"`  // of the run that is replayed; zero: the last
	Type  string    `json:"type,omitempty"` // of pause and resume; empty: all
	By    string    `json:"by"`
	Why   string    `json:"why"`
	Error string    `json:"error,omitempty"` // empty: it was done
	// Of is what it is of, if that is no delivery and no type, and Result what came of it.
	Of     string `json:"of,omitempty"`
	Result string `json:"result,omitempty"`
}

// An actKind is one of the acts.
type actKind struct {
	ofType bool // and not of one delivery
	// says is what happens, for the page that asks whether it is meant.
	says string
	do   func(ctx context.Context, a Actor, on act) error
}

var actKinds = map[string]actKind{
	"replay": {false, "This finished delivery runs again, behind live ones, with its attempts counted from zero.", func(ctx context.Context, a Actor, on act) error {
		f := webhook.Filter{UID: on.UID}
		if on.Seq > 0 {
			// A later run has another one, so a request that is sent twice acts once.
			f.After, f.Before = on.Seq-1, on.Seq+1
		}
		_, err := a.Replay(ctx, f, on.note())
		return err
	}},
	"bury": {false, "This delivery, which waits, becomes a dead letter, and the next of its ordering key takes its place. It can be replayed later.", func(ctx context.Context, a Actor, on act) error {
		return a.Bury(ctx, on.UID, on.note())
	}},
	"release": {false, "This delivery becomes due now. If a worker has claimed it and does not come back, another one can claim it; if that worker is alive, it runs twice.", func(ctx context.Context, a Actor, on act) error {
		return a.Release(ctx, on.UID)
	}},
	"pause": {true, "No process claims deliveries of this type any more, until somebody resumes it. Calls are still stored.", func(ctx context.Context, a Actor, on act) error {
		return a.Pause(ctx, on.Type, on.note())
	}},
	"resume": {true, "Deliveries of this type are claimed again.", func(ctx context.Context, a Actor, on act) error {
		return a.Resume(ctx, on.Type, on.note())
	}},
}

func (a act) note() webhook.Note { return webhook.Note{By: a.By, Why: a.Why} }

// perform does what a person asks for, and records it, also if it fails.
func (in *Inspector) perform(c call, a act) error {
	kind, ok := actKinds[a.Act]
	if !ok {
		return requestError{http.StatusNotFound, "there is no such act"}
	}
	var err error
	if a.By, err = in.mayAct(c, a.By, a.Why); err != nil {
		return err
	}
	if err := cmp.Or(needText("uid", a.UID, !kind.ofType), needText("type", a.Type, false)); err != nil {
		return err
	}
	if kind.ofType != (a.UID == "") || !kind.ofType && a.Type != "" {
		return badRequest("%s is of a type, or of a uid, but not of both", a.Act)
	}
	if a.Seq < 0 || a.Seq == math.MaxInt64 || a.Seq > 0 && a.Act != "replay" {
		return badRequest("seq is %d; it must be that of a delivery, and is for a replay", a.Seq)
	}
	// A viewer who leaves must not leave the act half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), storeTimeout)
	defer cancel()
	err = kind.do(ctx, in.actor, a)
	in.overview.forget()
	if err != nil {
		_, a.Error = in.explain(c.Request, err)
	}
	a = in.acts.add(a)
	in.logger().Info("inspector: "+a.Act, "uid", a.UID, "type", a.Type, "by", a.By, "why", a.Why, "error", err)
	return err
}

// mayAct returns who acts: the one who is logged in, or by. It is an error if nobody may act,
// or if who or why is missing.
func (in *Inspector) mayAct(c call, by, why string) (string, error) {
	if in.readOnly() {
		return "", requestError{http.StatusForbidden, "this inspector is read-only"}
	}
	if c.by != "" && by != "" && by != c.by {
		return "", badRequest("by is %.64q, but the act is recorded by %.64q, who is logged in", by, c.by)
	}
	by = cmp.Or(c.by, by)
	return by, cmp.Or(needText("by", by, true), needText("why", why, true))
}

// needText returns an error if a value is no text, or if it is needed and missing.
func needText(name, value string, needed bool) error {
	if err := checkText(name, value); err != nil {
		return err
	}
	if needed && strings.TrimSpace(value) == "" {
		return badRequest("%s is missing", name)
	}
	return nil
}

// maxForm bounds the body of a POST.
const maxForm = 16 << 10

// apiAct returns the call of the API that does the named act.
func apiAct(name string) func(in *Inspector, w http.ResponseWriter, c call) error {
	return func(in *Inspector, w http.ResponseWriter, c call) error {
		a := act{Act: name}
		err := postJSON(w, c, maxForm, "uid or type, by and why", &struct {
			UID, Type, By, Why *string
			Seq                *int64
		}{&a.UID, &a.Type, &a.By, &a.Why, &a.Seq})
		if err != nil {
			return err
		}
		if err := in.perform(c, a); err != nil {
			return err
		}
		writeJSON(w, c.Request, http.StatusOK, struct {
			Done string `json:"done"`
		}{name})
		return nil
	}
}

// postJSON reads the body of a POST, an object with the given members, into a struct. maxBytes
// bounds it.
func postJSON(w http.ResponseWriter, c call, maxBytes int64, members string, into any) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	// A form of another site cannot have this type.
	if kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return requestError{http.StatusUnsupportedMediaType, "the Content-Type must be application/json"}
	}
	body := json.NewDecoder(http.MaxBytesReader(w, c.Body, maxBytes))
	body.DisallowUnknownFields()
	err := body.Decode(into)
	if err == nil && !errors.Is(body.Decode(new(any)), io.EOF) {
		err = errors.New("there is something after the object")
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return err
	}
	if err != nil {
		return badRequest("the body is no JSON object with %s: %v", members, err)
	}
	return nil
}

// keptActs is how many acts are kept.
const keptActs = 200

// An actLog has the last acts. A restart loses it.
type actLog struct {
	mu   sync.Mutex
	last []act // oldest first
}

// add keeps an act of now, and returns it as it is shown.
func (l *actLog) add(a act) act {
	a.At, a.Why = time.Now().UTC(), shownReason(a.Why)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == keptActs {
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, a)
	return a
}

// of returns the acts on a delivery, or all if uid is empty, newest first.
func (l *actLog) of(uid string) []act {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := []act{}
	for i := len(l.last) - 1; i >= 0; i-- {
		if uid == "" || l.last[i].UID == uid {
			found = append(found, l.last[i])
		}
	}
	return found
}

func (in *Inspector) apiActs(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Acts []act `json:"acts"`
	}{in.acts.of("")})
	return nil
}
