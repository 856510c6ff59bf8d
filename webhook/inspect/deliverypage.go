package inspect

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// shownHeaders is how many values of headers a page has.
const shownHeaders = 200

// A deliveryView is the page of a delivery.
type deliveryView struct {
	view
	D            fullRecord
	Header       []headerLine
	MoreHeaders  int
	Possible     []string // acts
	Body         bodyView
	Acts         []act
	Newer, Older []record
	Partial      bool
	Known        known
	Watching     bool
	Curl         curlView
}

type headerLine struct{ Name, Value string }

func (in *Inspector) deliveryPage(w http.ResponseWriter, c call) error {
	r, release, err := in.one(c, "view")
	if err != nil {
		return err
	}
	kind := c.URL.Query().Get("view")
	if kind != "" && !slices.Contains(bodyKinds, kind) {
		release()
		return badRequest("there is no view %.64q; there are %s", kind, strings.Join(bodyKinds, ", "))
	}
	v := deliveryView{view: in.view(c, r.Delivery.Type+" "+r.Delivery.OrderingKey), D: in.fullRecordOf(r), Body: viewOf(r.Delivery, kind)}
	v.Known.Summary, v.Curl = in.summary(r.Delivery), in.curl(r.Delivery)
	release()
	v.Header, v.MoreHeaders = headerLines(v.D.Header)
	switch {
	case r.State.Final():
		v.Possible = []string{"replay"}
	case r.State == webhook.Claimed:
		v.Possible = []string{"release"}
	default:
		v.Possible = []string{"release", "bury"}
	}
	n, err := in.neighbors(c.Context(), r)
	if err != nil {
		return err
	}
	v.Known.add(in, r, n)
	sources, _ := in.watched.all()
	v.Watching = len(sources) > 0
	v.Newer, v.Older, v.Partial, v.Acts = recordsOf(n.newer), recordsOf(n.older), n.partial, in.acts.of(r.Delivery.UID)
	return render(w, c.Request, http.StatusOK, "delivery", v)
}

// An actView is the page that asks whether an act is meant.
type actView struct {
	view
	Act, Says string
	Type      string
	D         *record // nil: the act is of a type
	Back      string
}

func (in *Inspector) actPage(w http.ResponseWriter, c call) error {
	q, err := parameters(c.Request, "act", "uid", "type")
	if err != nil {
		return err
	}
	kind, ok := actKinds[q.Get("act")]
	switch {
	case !ok:
		return badRequest("there is no act %.64q", q.Get("act"))
	case in.readOnly():
		return requestError{http.StatusForbidden, "this inspector is read-only"}
	}
	v := actView{view: in.view(c, strings.ToUpper(q.Get("act")[:1])+q.Get("act")[1:]), Act: q.Get("act"), Says: kind.says, Type: q.Get("type"), Back: "./"}
	if !kind.ofType {
		if q.Get("uid") == "" {
			return badRequest("the parameter uid is missing")
		}
		r, err := in.withoutBody(c.Context(), q.Get("uid"))
		if err != nil {
			return err
		}
		d := recordOf(r)
		v.D, v.Back = &d, deliveryURL(d.UID)
	}
	return render(w, c.Request, http.StatusOK, "act", v)
}

// doPage does what the form of actPage asks for, and shows what came of it.
func (in *Inspector) doPage(w http.ResponseWriter, c call) error {
	form, err := postForm(w, c, maxForm)
	if err == nil {
		err = checkValues(form, []string{"act", "uid", "seq", "type", "by", "why"})
	}
	if err != nil {
		return err
	}
	a := act{Act: form.Get("act"), UID: form.Get("uid"), Type: form.Get("type"), By: form.Get("by"), Why: form.Get("why")}
	if text := form.Get("seq"); text != "" {
		if a.Seq, err = strconv.ParseInt(text, 10, 64); err != nil {
			return badRequest("seq is %.64q, which is no number", text)
		}
	}
	if err := in.perform(c, a); err != nil {
		return err
	}
	to := "./"
	if a.UID != "" {
		to = deliveryURL(a.UID)
	}
	seeOther(w, to)
	return nil
}

// An actsView is the page of the last acts.
type actsView struct {
	view
	Kept int
	Acts []act
}

func (in *Inspector) actsPage(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	return render(w, c.Request, http.StatusOK, "acts", actsView{in.view(c, "Acts"), keptActs, in.acts.of("")})
}
