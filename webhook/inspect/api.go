package inspect

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A listPage is the JSON of a page of a list.
type listPage struct {
	Deliveries []record  `json:"deliveries"`
	Next       int64     `json:"next,omitempty"`
	Partial    bool      `json:"partial,omitempty"`
	LookedBack time.Time `json:"looked_back,omitzero"`
}

func (in *Inspector) apiDeliveries(w http.ResponseWriter, c call) error {
	f, err := parseFilter(c.Request, time.Now())
	if err != nil {
		return err
	}
	l, err := in.shownList(c.Context(), f)
	if err != nil {
		return err
	}
	out := listPage{Deliveries: recordsOf(l.records), Next: l.next, Partial: l.partial}
	if l.partial {
		out.LookedBack = l.lookedBack.UTC()
	}
	writeJSON(w, c.Request, http.StatusOK, out)
	return nil
}

// oneUID returns the delivery that a URL names.
func oneUID(r *http.Request, further ...string) (string, error) {
	q, err := parameters(r, append(further, "uid")...)
	if err == nil && q.Get("uid") == "" {
		err = badRequest("the parameter uid is missing")
	}
	return q.Get("uid"), err
}

// one returns the delivery that a URL names, with its contents. The caller calls release.
func (in *Inspector) one(c call, further ...string) (r webhook.Record, release func(), err error) {
	uid, err := oneUID(c.Request, further...)
	if err != nil {
		return r, nil, err
	}
	return in.get(c.Context(), uid)
}

func (in *Inspector) apiDelivery(w http.ResponseWriter, c call) error {
	r, release, err := in.one(c)
	if err != nil {
		return err
	}
	out := struct {
		fullRecord
		known
	}{fullRecord: in.fullRecordOf(r), known: known{Summary: in.summary(r.Delivery)}}
	release()
	n, err := in.burst(c.Context(), r)
	if err != nil {
		return err
	}
	out.known.add(in, r, n)
	writeJSON(w, c.Request, http.StatusOK, out)
	return nil
}

func (in *Inspector) apiAttempts(w http.ResponseWriter, c call) error {
	r, release, err := in.one(c)
	if err != nil {
		return err
	}
	release()
	writeJSON(w, c.Request, http.StatusOK, struct {
		Attempts []attempt `json:"attempts"`
	}{append([]attempt{}, attemptsOf(r)...)})
	return nil
}

func (in *Inspector) apiNeighbors(w http.ResponseWriter, c call) error {
	uid, err := oneUID(c.Request)
	if err != nil {
		return err
	}
	r, err := in.withoutBody(c.Context(), uid)
	if err != nil {
		return err
	}
	n, err := in.neighbors(c.Context(), r)
	if err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Newer   []record `json:"newer"`
		Older   []record `json:"older"`
		Partial bool     `json:"partial,omitempty"`
	}{recordsOf(n.newer), recordsOf(n.older), n.partial})
	return nil
}

// withoutBody returns one delivery as a list has it.
func (in *Inspector) withoutBody(ctx context.Context, uid string) (r webhook.Record, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	found, err := in.read(ctx, webhook.Filter{UID: uid, Limit: 1})
	switch {
	case err != nil:
		return r, err
	case len(found) == 0:
		return r, webhook.ErrNotFound
	}
	return found[0], nil
}

const (
	// bodyPart is how much of a body is written at a time, and bodyTimeout how long a viewer
	// may take for all of it: the body is in memory meanwhile.
	bodyPart    = 64 << 10
	bodyTimeout = 2 * time.Minute
)

// apiBody writes the body as it was received, for a file: a browser neither shows nor
// runs it, whatever the sender says that it is.
func (in *Inspector) apiBody(w http.ResponseWriter, c call) error {
	if err := takeSlot(c.Context(), in.files); err != nil {
		return err
	}
	defer func() { <-in.files }()
	r, release, err := in.one(c)
	if err != nil {
		return err
	}
	defer release()
	if r.Err != nil {
		return requestError{http.StatusInternalServerError, "the stored delivery cannot be read in full: " + r.Err.Error()}
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(r.Delivery.UID)}))
	h.Set("Content-Length", strconv.Itoa(len(r.Delivery.Body)))
	if c.Method == http.MethodHead {
		return nil
	}
	to := http.NewResponseController(w)
	_ = to.SetWriteDeadline(time.Now().Add(bodyTimeout))    // not every writer can
	defer func() { _ = to.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	for part := range slices.Chunk(r.Delivery.Body, bodyPart) {
		if _, err := w.Write(part); err != nil {
			return nil // the viewer has gone
		}
	}
	return nil
}

// fileName returns the name of the file for a body: a program may choose any UID.
func fileName(uid string) string {
	name := []byte(uid[:min(len(uid), 64)])
	for i, b := range name {
		if b != '-' && (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') {
			name[i] = '_'
		}
	}
	return "delivery-" + string(name) + ".body"
}

// An overview is the JSON of the numbers.
type overview struct {
	Count     map[string]count   `json:"count"`
	Oldest    map[string]float64 `json:"oldest_seconds"` // by type
	Unhandled []string           `json:"unhandled"`
	Paused    []pause            `json:"paused"`
	ReadOnly  bool               `json:"read_only"`
}

type count struct {
	N    int  `json:"n"`
	More bool `json:"more,omitempty"`
}

type pause struct {
	Type string    `json:"type"`
	By   string    `json:"by"`
	Why  string    `json:"why,omitempty"`
	At   time.Time `json:"at"`
}

func (in *Inspector) numbers(ctx context.Context) (out overview, err error) {
	o, err := in.overview.get(ctx, numbersFor, func(ctx context.Context) (webhook.Overview, error) { return in.store.Overview(ctx, countLimit) })
	if err != nil {
		return out, err
	}
	out = overview{
		Count: make(map[string]count), Oldest: make(map[string]float64), Unhandled: append([]string{}, o.Unhandled...), Paused: []pause{}, ReadOnly: in.readOnly(),
	}
	for s, c := range o.Count {
		out.Count[string(s)] = count(c)
	}
	for typ, age := range o.Oldest {
		out.Oldest[typ] = age.Seconds()
	}
	for _, p := range o.Paused {
		out.Paused = append(out.Paused, pause{p.Type, p.By, shownReason(p.Why), p.At.UTC()})
	}
	return out, nil
}

func (in *Inspector) apiOverview(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	out, err := in.numbers(c.Context())
	if err == nil {
		writeJSON(w, c.Request, http.StatusOK, out)
	}
	return err
}
