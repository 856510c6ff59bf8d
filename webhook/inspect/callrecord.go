package inspect

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A callRecord is the JSON of a call. The names of its fields do not change.
type callRecord struct {
	N         int64     `json:"n"`
	At        time.Time `json:"at"`
	Source    string    `json:"source"`
	Method    string    `json:"method"`
	Pattern   string    `json:"pattern,omitempty"`
	Status    int       `json:"status"` // zero: no answer was seen
	Class     string    `json:"class,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	UID       string    `json:"uid,omitempty"`
	Type      string    `json:"type,omitempty"`
	Duplicate bool      `json:"duplicate,omitempty"`
	TookMS    float64   `json:"took_ms"`
	Answer    string    `json:"answer,omitempty"`
	AnswerCut bool      `json:"answer_cut,omitempty"`
	// AnswerHidden: there was one, and it is not kept.
	AnswerHidden bool `json:"answer_hidden,omitempty"`
}

// A fullCall is the JSON of a call by itself.
type fullCall struct {
	callRecord
	Client        string      `json:"client"`
	ContentLength int64       `json:"content_length"` // -1: not announced
	Read          int64       `json:"read"`
	BodyEnd       bodyEnd     `json:"body_end"`
	Header        http.Header `json:"header,omitempty"`
	HeadersLeft   int         `json:"headers_left,omitempty"`
	Body          string      `json:"body,omitempty"` // as a page shows it
	BodyKind      string      `json:"body_kind,omitempty"`
	BodyCut       bool        `json:"body_cut,omitempty"`
	Why           []finding   `json:"why,omitempty"`
	WhyNote       string      `json:"why_note,omitempty"`
}

func (k *keptCall) record() callRecord {
	answer, cut := beginning(k.answer)
	out := callRecord{
		N: k.n, At: k.at.UTC(), Source: k.source.Name, Method: k.method, Pattern: k.pattern, Status: k.status, Class: k.class, Reason: k.reason(),
		Type: k.typ, Duplicate: k.duplicate, TookMS: float64(k.took.Microseconds()) / 1000, Answer: strings.TrimSuffix(answer, "\n"), AnswerCut: cut || k.answerCut,
		AnswerHidden: k.answerHidden,
	}
	if !k.refused() {
		out.UID = k.uid // of one that was refused the inbox has none
	}
	return out
}

func callRecordsOf(calls []*keptCall) []callRecord {
	out := make([]callRecord, 0, len(calls)) // not null in JSON
	for _, k := range calls {
		out = append(out, k.record())
	}
	return out
}

// full returns the JSON of a call, with why it was refused.
func (in *Inspector) full(c call, k *keptCall) (out fullCall, body bodyView, err error) {
	out = fullCall{callRecord: k.record(), Client: k.client, ContentLength: k.length, Read: k.read, BodyEnd: k.end}
	if !k.refused() {
		return out, body, nil
	}
	d, err := in.diagnose(c.Context(), k)
	if err != nil {
		return out, body, err
	}
	out.Why, out.WhyNote = d.findings, d.note
	out.Header, out.HeadersLeft, out.BodyCut = in.callHeader(k), k.headersLeft, k.bodyCut
	if len(k.body) > 0 {
		body = viewOf(&webhook.Delivery{Header: k.header, Body: k.body}, "")
		out.Body, out.BodyKind, out.BodyCut = body.Text, body.Kind, k.bodyCut || body.Cut
	}
	return out, body, nil
}

// callFilter are the parameters of a list of calls.
type callFilter struct {
	refused bool
	before  int64
	limit   int
}

func parseCallFilter(r *http.Request) (f callFilter, err error) {
	q, err := parameters(r, "refused", "before", "limit")
	if err != nil {
		return f, err
	}
	switch text := q.Get("refused"); text {
	case "", "0", "1":
		f.refused = text == "1"
	default:
		return f, badRequest("refused is %.64q; it must be 1 or 0", text)
	}
	f.limit = defaultPage
	for _, p := range []struct {
		name string
		to   func(int64)
		most int64
	}{{"before", func(n int64) { f.before = n }, 1<<62 - 1}, {"limit", func(n int64) { f.limit = int(n) }, maxPage}} {
		if text := q.Get(p.name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 1 || n > p.most {
				return f, badRequest("%s is %.64q; it must be from 1 to %d", p.name, text, p.most)
			}
			p.to(n)
		}
	}
	return f, nil
}

// A callList is the JSON of a page of calls.
type callList struct {
	Calls []callRecord `json:"calls"`
	Next  int64        `json:"next,omitempty"`
	Lost  int64        `json:"lost,omitempty"` // refused calls that are no longer kept
}

func (in *Inspector) callList(f callFilter) (l callList) {
	found, lost := in.calls.before(f.before, f.refused)
	if len(found) > f.limit {
		found = found[:f.limit]
		l.Next = found[f.limit-1].n
	}
	l.Calls, l.Lost = callRecordsOf(found), lost
	return l
}

func (in *Inspector) apiCalls(w http.ResponseWriter, c call) error {
	f, err := parseCallFilter(c.Request)
	if err == nil {
		writeJSON(w, c.Request, http.StatusOK, in.callList(f))
	}
	return err
}

// oneCall returns the call that a URL names.
func (in *Inspector) oneCall(c call) (*keptCall, error) {
	q, err := parameters(c.Request, "n")
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(q.Get("n"), 10, 64)
	if err != nil || n < 1 || n >= 1<<62 {
		return nil, badRequest("n is %.64q, which is not the number of a call", q.Get("n"))
	}
	k := in.calls.get(n)
	if k == nil {
		return nil, requestError{http.StatusNotFound, "there is no such call, or it is no longer kept"}
	}
	return k, nil
}

func (in *Inspector) apiCall(w http.ResponseWriter, c call) error {
	k, err := in.oneCall(c)
	if err != nil {
		return err
	}
	out, _, err := in.full(c, k)
	if err == nil {
		writeJSON(w, c.Request, http.StatusOK, out)
	}
	return err
}
