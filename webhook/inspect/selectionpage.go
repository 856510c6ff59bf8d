package inspect

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A selectView is the page that asks whether the replay of a selection is meant.
type selectView struct {
	view
	Says          string
	Matched       matched
	Chosen        bool // one by one
	Fields        []field
	Rate, MaxRate int
}

// A field is a hidden field of a form.
type field struct{ Name, Value string }

// fieldsOf returns the fields that carry values, in order.
func fieldsOf(q url.Values) (list []field) {
	for _, name := range selectionNames {
		for _, value := range q[name] {
			list = append(list, field{name, value})
		}
	}
	return list
}

// selectPage asks whether the deliveries that match a filter are to be replayed.
func (in *Inspector) selectPage(w http.ResponseWriter, c call) error {
	q, err := parameters(c.Request, selectionNames...)
	if err != nil {
		return err
	}
	return in.askSelection(w, c, q)
}

// chosenPage asks whether the deliveries that were chosen in a list are to be replayed. It is a
// POST because they may be too many for a URL, and changes nothing.
func (in *Inspector) chosenPage(w http.ResponseWriter, c call) error {
	form, err := postForm(w, c, maxForm)
	if err == nil {
		err = checkValues(form, []string{"seqs"})
	}
	if err != nil {
		return err
	}
	if len(form["seqs"]) == 0 {
		return badRequest("no delivery is chosen")
	}
	return in.askSelection(w, c, form)
}

func (in *Inspector) askSelection(w http.ResponseWriter, c call, q url.Values) error {
	if in.readOnly() {
		return requestError{http.StatusForbidden, "this inspector is read-only"}
	}
	s, err := in.selectionOf(c.Context(), q, time.Now())
	if err != nil {
		return err
	}
	v := selectView{view: in.view(c, "Replay a selection"), Says: s.text(), Chosen: s.seqs != nil, Fields: fieldsOf(s.exact().parameters()), Rate: defaultRate, MaxRate: maxRate}
	if v.Matched, err = in.count(c.Context(), s); err != nil {
		return err
	}
	return render(w, c.Request, http.StatusOK, "select", v)
}

// Text returns the number as the page has it, which says itself if it is partial.
func (m matched) Text() string {
	n := m.count
	n.More = n.More && !m.Partial
	return n.text()
}

// startPage begins to replay what the form of selectPage names.
func (in *Inspector) startPage(w http.ResponseWriter, c call) error {
	form, err := postForm(w, c, maxForm)
	if err == nil {
		err = checkValues(form, append(slices.Clone(selectionNames), "rate", "by", "why"))
	}
	if err != nil {
		return err
	}
	rate := 0
	if text := form.Get("rate"); text != "" {
		if rate, err = strconv.Atoi(text); err != nil || rate == 0 {
			return badRequest("rate is %.64q; it must be from 1 to %d deliveries a second", text, maxRate)
		}
	}
	if _, err := in.startReplay(c, form, rate, form.Get("by"), form.Get("why")); err != nil {
		return err
	}
	seeOther(w, "replays")
	return nil
}

// startReplay begins to replay the selection of the given parameters.
func (in *Inspector) startReplay(c call, q url.Values, rate int, by, why string) (r selectionRun, err error) {
	if by, err = in.mayAct(c, by, why); err != nil {
		return r, err
	}
	s, err := in.selectionOf(c.Context(), q, time.Now())
	if err != nil {
		return r, err
	}
	return in.start(s, rate, webhook.Note{By: by, Why: why})
}

// seeOther sends a browser to a page of the inspector. http.Redirect would use the path, which
// a proxy may have changed.
func seeOther(w http.ResponseWriter, page string) {
	w.Header().Set("Location", page)
	w.WriteHeader(http.StatusSeeOther)
}

// A replaysView is the page of the replays of selections.
type replaysView struct {
	view
	Runs []selectionRun
	Kept int
}

func (in *Inspector) replaysPage(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	return render(w, c.Request, http.StatusOK, "replays", replaysView{in.view(c, "Replays of selections"), in.runs.all(), keptRuns})
}

// stopPage stops the run that a form names.
func (in *Inspector) stopPage(w http.ResponseWriter, c call) error {
	form, err := postForm(w, c, maxForm)
	if err == nil {
		err = checkValues(form, []string{"id", "by", "why"})
	}
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(form.Get("id"), 10, 64)
	if err != nil {
		return badRequest("id is %.64q, which is no number", form.Get("id"))
	}
	if err := in.stopReplay(c, id, form.Get("by"), form.Get("why")); err != nil {
		return err
	}
	seeOther(w, "replays")
	return nil
}

// stopReplay stops the run with an id.
func (in *Inspector) stopReplay(c call, id int64, by, why string) (err error) {
	if by, err = in.mayAct(c, by, why); err != nil {
		return err
	}
	if id < 1 {
		return badRequest("id is %d; it must be that of a replay of a selection", id)
	}
	a := act{Act: "stop a replay", Of: "selection " + strconv.FormatInt(id, 10), By: by, Why: why}
	if !in.runs.end(id, stopCause(shownReason("stopped by "+by+": "+why))) {
		err = requestError{http.StatusConflict, "this replay does not run"}
		a.Error = err.Error()
	}
	a = in.acts.add(a)
	in.logger().Info("inspector: "+a.Act, "id", id, "by", by, "why", a.Why, "error", err)
	return err
}

func (in *Inspector) apiReplays(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Replays []selectionRun `json:"replays"`
	}{in.runs.all()})
	return nil
}

func (in *Inspector) apiStart(w http.ResponseWriter, c call) error {
	var on struct {
		selectionText
		Rate    int
		By, Why string
	}
	if err := postJSON(w, c, maxForm, "parameters of the list, before or seqs, rate, by and why", &on); err != nil {
		return err
	}
	q := on.parameters()
	if err := checkValues(q, selectionNames); err != nil {
		return err
	}
	r, err := in.startReplay(c, q, on.Rate, on.By, on.Why)
	if err == nil {
		writeJSON(w, c.Request, http.StatusOK, r)
	}
	return err
}

func (in *Inspector) apiStop(w http.ResponseWriter, c call) error {
	var on struct {
		ID      int64
		By, Why string
	}
	if err := postJSON(w, c, maxForm, "id, by and why", &on); err != nil {
		return err
	}
	if err := in.stopReplay(c, on.ID, on.By, on.Why); err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Done string `json:"done"`
	}{"stop"})
	return nil
}

// selectURL returns the URL of the page that asks whether what a list shows is to be replayed,
// without what only pages it.
func selectURL(form url.Values) string {
	q := make(url.Values)
	for name, values := range form {
		if name != "before" && name != "limit" && strings.Join(values, "") != "" {
			q[name] = values
		}
	}
	return "select?" + q.Encode()
}
