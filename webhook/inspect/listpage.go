package inspect

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// shownStates are the states in the order in which the page has them.
var shownStates = []webhook.State{webhook.Waiting, webhook.Blocked, webhook.Claimed, webhook.Done, webhook.Dead, webhook.Superseded, webhook.Ignored}

// A shownState is a state with the number of its deliveries.
type shownState struct {
	Name, Count, URL string
	Chosen           bool
}

// A listView is the page of a list.
type listView struct {
	view
	States     []shownState
	Numbers    overview
	Chart      chart
	Oldest     *oldest // nil if nothing waits
	Form       url.Values
	Filtered   bool
	Select     []selectLink // the pages that ask whether something is to be done with all that match
	Type       string       // of the filter
	Rows       []record
	Next       string
	Partial    bool
	LookedBack time.Time
	// RefusedCalls is how many refused calls are kept.
	RefusedCalls int
}

// A selectLink is the page that asks whether something is to be done with a selection.
type selectLink struct {
	Kind *selectionKind
	URL  string
}

// An oldest is what has waited longest.
type oldest struct {
	Type string
	For  time.Duration
}

func (in *Inspector) listPage(w http.ResponseWriter, c call) error {
	f, err := parseFilter(c.Request, time.Now())
	if err != nil {
		return err
	}
	l, err := in.shownList(c.Context(), f)
	if err != nil {
		return err
	}
	numbers, err := in.numbers(c.Context())
	if err != nil {
		return err
	}
	drawn, err := in.charted(c.Context())
	if err != nil {
		return err
	}
	form := c.URL.Query()
	v := listView{
		view: in.view(c, "Deliveries"), Numbers: numbers, Chart: drawn, Form: form, Filtered: isNarrow(f), Type: f.Type, Rows: recordsOf(l.records),
		Partial: l.partial, LookedBack: l.lookedBack,
	}
	for _, k := range selectionKinds {
		if len(f.States) > 0 && !slices.ContainsFunc(f.States, func(s webhook.State) bool { return slices.Contains(k.states, s) }) {
			continue
		}
		v.Select = append(v.Select, selectLink{k, selectURL(k, form)})
	}
	v.RefusedCalls, _ = in.calls.counts()
	for typ, seconds := range numbers.Oldest {
		age := time.Duration(seconds) * time.Second
		if v.Oldest == nil || age > v.Oldest.For || age == v.Oldest.For && typ < v.Oldest.Type {
			v.Oldest = &oldest{typ, age}
		}
	}
	for _, s := range shownStates {
		n := numbers.Count[string(s)]
		v.States = append(v.States, shownState{string(s), n.text(), listURL(form, "state", string(s)), slices.Contains(f.States, s)})
	}
	if l.next > 0 {
		v.Next = listURL(form, "before", strconv.FormatInt(l.next, 10))
	}
	return render(w, c.Request, http.StatusOK, "list", v)
}

// text returns the number as "12", or "10 000+" with a narrow space if there are more.
func (c count) text() string {
	text := strconv.Itoa(c.N)
	if n := len(text); n > 3 {
		text = text[:n-3] + "\u202f" + text[n-3:]
	}
	if c.More {
		text += "+"
	}
	return text
}

// listURL returns the URL of a list with one parameter changed. The list begins at the
// newest delivery, unless before is what changes.
func listURL(form url.Values, name, value string) string {
	q := make(url.Values)
	for n, values := range form {
		if n != "before" && len(values) > 0 && values[0] != "" {
			q[n] = values
		}
	}
	q.Set(name, value)
	return "./?" + q.Encode()
}
