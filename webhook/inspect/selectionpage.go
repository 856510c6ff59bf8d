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

// A selectView is the page that asks whether an act on a selection is meant.
type selectView struct {
	view
	Kind          *selectionKind
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

// selectPage asks whether something is to be done with the deliveries that match a filter.
func (in *Inspector) selectPage(w http.ResponseWriter, c call) error {
	q, err := parameters(c.Request, append(slices.Clone(selectionNames), "act")...)
	if err != nil {
		return err
	}
	return in.askSelection(w, c, q)
}

// chosenPage asks whether something is to be done with the deliveries that were chosen in a list. It is a
// POST because they may be too many for a URL, and changes nothing.
func (in *Inspector) chosenPage(w http.ResponseWriter, c call) error {
	form, err := postForm(w, c, maxForm)
	if err == nil {
		err = checkValues(form, []string{"seqs", "act"})
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
	kind, err := kindOf(q.Get("act"))
	if err != nil {
		return err
	}
	s, err := in.selectionOf(c.Context(), kind, q, time.Now())
	if err != nil {
		return err
	}
	v := selectView{view: in.view(c, kind.Title), Kind: kind, Says: s.text(), Chosen: s.seqs != nil, Fields: fieldsOf(s.exact().parameters()), Rate: defaultRate, MaxRate: maxRate}
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

// startPage begins what the form of selectPage names.
func (in *Inspector) startPage(w http.ResponseWriter, c call) error {
	form, err := postForm(w, c, maxForm)
	if err == nil {
		err = checkValues(form, append(slices.Clone(selectionNames), "act", "rate", "by", "why"))
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
	kind, err := kindOf(form.Get("act"))
	if err != nil {
		return err
	}
	if _, err := in.startSelection(c, kind, form, rate, form.Get("by"), form.Get("why")); err != nil {
		return err
	}
	seeOther(w, "replays")
	return nil
}

// startSelection begins an act on the selection of the given parameters.
func (in *Inspector) startSelection(c call, kind *selectionKind, q url.Values, rate int, by, why string) (r selectionRun, err error) {
	if by, err = in.mayAct(c, by, why); err != nil {
		return r, err
	}
	s, err := in.selectionOf(c.Context(), kind, q, time.Now())
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

// A replaysView is the page of the acts on selections.
type replaysView struct {
	view
	Runs []selectionRun
	Kept int
}

func (in *Inspector) replaysPage(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	return render(w, c.Request, http.StatusOK, "replays", replaysView{in.view(c, "Replays and burials of selections"), in.runs.all(nil), keptRuns})
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
	if err := in.stopSelection(c, id, form.Get("by"), form.Get("why")); err != nil {
		return err
	}
	seeOther(w, "replays")
	return nil
}

// stopSelection stops the run with an id.
func (in *Inspector) stopSelection(c call, id int64, by, why string) (err error) {
	if by, err = in.mayAct(c, by, why); err != nil {
		return err
	}
	if id < 1 {
		return badRequest("id is %d; it must be that of an act on a selection", id)
	}
	a := act{Act: "stop a selection", Of: "selection " + strconv.FormatInt(id, 10), By: by, Why: why}
	if kind := in.runs.end(id, stopCause(shownReason("stopped by "+by+": "+why))); kind != nil {
		a.Act = kind.stop
	} else {
		err = requestError{http.StatusConflict, "this replay or burial does not run"}
		a.Error = err.Error()
	}
	a = in.acts.add(a)
	in.logger().Info("inspector: "+a.Act, "id", id, "by", by, "why", a.Why, "error", err)
	return err
}

// selectURL returns the URL of the page that asks whether something is to be done with what a list
// shows, without what only pages it.
func selectURL(k *selectionKind, form url.Values) string {
	q := url.Values{"act": {k.name}}
	for name, values := range form {
		if name != "before" && name != "limit" && strings.Join(values, "") != "" {
			q[name] = values
		}
	}
	return "select?" + q.Encode()
}
