package inspect

import (
	"net/http"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sendView is the page on which a person says what to send.
type sendView struct {
	view
	D        *record // nil: of no delivery
	Keys     []TestKey
	Hosts    []string
	AllHosts bool
	Event    string // of the delivery
	HasID    bool
	Editable bool // the body can be edited
	Text     string
	MaxBytes int
}

func (in *Inspector) canSend() bool { return in.Send != nil && !in.readOnly() }

// maySend returns an error if nobody can send.
func (in *Inspector) maySend() error {
	switch {
	case in.Send == nil:
		return requestError{http.StatusNotFound, "there is no such page"}
	case in.readOnly():
		return requestError{http.StatusForbidden, "this inspector is read-only"}
	}
	return in.Send.validate()
}

func (in *Inspector) sendPage(w http.ResponseWriter, c call) error {
	if err := in.maySend(); err != nil {
		return err
	}
	q, err := parameters(c.Request, "uid")
	if err != nil {
		return err
	}
	v := sendView{view: in.view(c, "Send"), Keys: in.Send.Keys, Hosts: in.Send.Hosts, Editable: true, MaxBytes: maxEdited}
	for _, h := range in.Send.Hosts {
		v.AllHosts = v.AllHosts || h == "*"
	}
	if uid := q.Get("uid"); uid != "" {
		r, release, err := in.get(c.Context(), uid)
		if err != nil {
			return err
		}
		defer release()
		d := recordOf(r)
		v.D, v.HasID = &d, r.Delivery.ID != ""
		if event := r.Delivery.Header.Get("X-GitHub-Event"); isHeaderText(event) {
			v.Event = event
		}
		if v.Editable = isEditable(r.Delivery.Body); v.Editable {
			v.Text = string(r.Delivery.Body)
		}
	}
	return render(w, c.Request, http.StatusOK, "send", v)
}

// isEditable reports whether a body comes back from a form as it is, unless somebody edits it:
// a browser changes line ends, and a page does not show what is no printable character.
func isEditable(body []byte) bool {
	return len(body) <= maxEdited && visible(string(body), true) == string(body)
}

// A sentView is the page of an answer.
type sentView struct {
	view
	UID         string
	Host        string
	A           answer
	Header      []headerLine
	MoreHeaders int
	Body        bodyView
}

// sentPage sends what the form of sendPage has, and shows the answer.
func (in *Inspector) sentPage(w http.ResponseWriter, c call) error {
	if err := in.maySend(); err != nil {
		return err
	}
	form, err := postForm(w, c, maxSendForm)
	if err != nil {
		return err
	}
	text := form["body"]
	delete(form, "body")
	if err := checkValues(form, []string{"key", "url", "uid", "event", "keep", "by", "why"}); err != nil {
		return err
	}
	s := sending{
		Key: form.Get("key"), URL: form.Get("url"), UID: form.Get("uid"), Event: form.Get("event"), KeepID: form.Has("keep"),
		By: form.Get("by"), Why: form.Get("why"),
	}
	switch len(text) {
	case 0:
	case 1:
		// A browser sends each line end of a form as two characters. A body that has such is
		// not editable.
		edited := strings.ReplaceAll(text[0], "\r\n", "\n")
		s.Body = &edited
	default:
		return badRequest("the parameter body is there %d times", len(text))
	}
	a, err := in.send(c, s)
	if err != nil {
		return err
	}
	v := sentView{view: in.view(c, "Answer"), UID: s.UID, Host: hostOf(s.URL), A: a, Body: viewOf(&webhook.Delivery{Body: a.bytes}, "")}
	v.Header, v.MoreHeaders = headerLines(a.Header)
	return render(w, c.Request, http.StatusOK, "sent", v)
}

func (in *Inspector) apiSend(w http.ResponseWriter, c call) error {
	if err := in.maySend(); err != nil {
		return err
	}
	var on struct {
		Key, URL, UID, Event string
		Body                 *string
		ContentType          string `json:"content_type"`
		KeepID               bool   `json:"keep_id"`
		By, Why              string
	}
	if err := postJSON(w, c, maxSendForm, "key, url, uid or body, event, content_type, keep_id, by and why", &on); err != nil {
		return err
	}
	a, err := in.send(c, sending{on.Key, on.URL, on.UID, on.Body, on.Event, on.ContentType, on.KeepID, on.By, on.Why})
	if err == nil {
		writeJSON(w, c.Request, http.StatusOK, a)
	}
	return err
}
