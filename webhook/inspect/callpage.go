package inspect

import (
	"net/http"
	"net/url"
	"strconv"
)

// A callsView is the page of the last calls.
type callsView struct {
	view
	Refused  bool // only those
	Calls    []callRecord
	Next     string
	Lost     int64
	Kept     int
	Watching bool
}

func (in *Inspector) callsPage(w http.ResponseWriter, c call) error {
	f, err := parseCallFilter(c.Request)
	if err != nil {
		return err
	}
	l := in.callList(f)
	kept, _ := in.limits()
	sources, _ := in.watched.all()
	v := callsView{view: in.view(c, "Calls"), Refused: f.refused, Calls: l.Calls, Lost: l.Lost, Kept: kept, Watching: len(sources) > 0}
	if l.Next > 0 {
		q := c.URL.Query()
		q.Set("before", strconv.FormatInt(l.Next, 10))
		v.Next = "calls?" + q.Encode()
	}
	return render(w, c.Request, http.StatusOK, "calls", v)
}

// A callView is the page of a call.
type callView struct {
	view
	C       fullCall
	Refused bool
	Header  []headerLine
	More    int // headers that are not on the page
	Body    bodyView
}

func (in *Inspector) callPage(w http.ResponseWriter, c call) error {
	k, err := in.oneCall(c)
	if err != nil {
		return err
	}
	full, body, err := in.full(c, k)
	if err != nil {
		return err
	}
	v := callView{view: in.view(c, "Call "+strconv.FormatInt(k.n, 10)+" of "+k.source.Name), C: full, Refused: k.refused(), Body: body}
	v.Header, v.More = headerLines(full.Header)
	return render(w, c.Request, http.StatusOK, "call", v)
}

func callURL(n int64) string { return "call?" + url.Values{"n": {strconv.FormatInt(n, 10)}}.Encode() }
