package inspect

import (
	"net/http"
	"strings"
)

// A route is a page, by what comes after the place where the inspector is mounted.
type route struct {
	method string // GET, or POST for an act
	serve  func(in *Inspector, w http.ResponseWriter, c call) error
	json   bool // how an error is written
}

// A call is a request of somebody who may make it.
type call struct {
	*http.Request
	by string // their name, empty if it is not known
}

var routes = map[string]route{
	"":               {http.MethodGet, (*Inspector).listPage, false},
	"delivery":       {http.MethodGet, (*Inspector).deliveryPage, false},
	"act":            {http.MethodGet, (*Inspector).actPage, false},
	"select":         {http.MethodGet, (*Inspector).selectPage, false},
	"replays":        {http.MethodGet, (*Inspector).replaysPage, false},
	"send":           {http.MethodGet, (*Inspector).sendPage, false},
	"do":             {http.MethodPost, (*Inspector).doPage, false},
	"acts":           {http.MethodGet, (*Inspector).actsPage, false},
	"calls":          {http.MethodGet, (*Inspector).callsPage, false},
	"call":           {http.MethodGet, (*Inspector).callPage, false},
	"style.css":      {http.MethodGet, asset("style.css", "text/css; charset=utf-8"), false},
	"live.js":        {http.MethodGet, asset("live.js", "text/javascript; charset=utf-8"), false},
	"api/live":       {http.MethodGet, (*Inspector).apiLive, true},
	"api/deliveries": {http.MethodGet, (*Inspector).apiDeliveries, true},
	"api/delivery":   {http.MethodGet, (*Inspector).apiDelivery, true},
	"api/attempts":   {http.MethodGet, (*Inspector).apiAttempts, true},
	"api/neighbors":  {http.MethodGet, (*Inspector).apiNeighbors, true},
	"api/body":       {http.MethodGet, (*Inspector).apiBody, true},
	"api/overview":   {http.MethodGet, (*Inspector).apiOverview, true},
	"api/acts":       {http.MethodGet, (*Inspector).apiActs, true},
	"api/calls":      {http.MethodGet, (*Inspector).apiCalls, true},
	"api/call":       {http.MethodGet, (*Inspector).apiCall, true},
	"api/replay":     {http.MethodPost, apiAct("replay"), true},
	"api/bury":       {http.MethodPost, apiAct("bury"), true},
	"api/release":    {http.MethodPost, apiAct("release"), true},
	"api/pause":      {http.MethodPost, apiAct("pause"), true},
	"api/resume":     {http.MethodPost, apiAct("resume"), true},
	"api/replays":    {http.MethodGet, (*Inspector).apiReplays, true},
	"api/burials":    {http.MethodGet, (*Inspector).apiBurials, true},
}

// posts are those that can be posted to, also if routes has a page of that name.
var posts = map[string]route{
	"select":           {http.MethodPost, (*Inspector).chosenPage, false},
	"replays":          {http.MethodPost, (*Inspector).startPage, false},
	"send":             {http.MethodPost, (*Inspector).sentPage, false},
	"stop":             {http.MethodPost, (*Inspector).stopPage, false},
	"api/replays":      {http.MethodPost, apiStart(replaying), true},
	"api/burials":      {http.MethodPost, apiStart(burying), true},
	"api/send":         {http.MethodPost, (*Inspector).apiSend, true},
	"api/replays/stop": {http.MethodPost, (*Inspector).apiStop, true},
	"api/burials/stop": {http.MethodPost, (*Inspector).apiStop, true},
}

// ServeHTTP serves a page or a call of the API.
func (in *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "+
		"frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	// With no-referrer a browser would send the Origin "null" with a form, which is refused.
	h.Set("Referrer-Policy", "same-origin")
	if !in.allowsHost(r.Host) {
		http.Error(w, "the inspector has another name", http.StatusMisdirectedRequest)
		return
	}
	if err := in.cross.Check(r); err != nil {
		http.Error(w, "the form comes from another site", http.StatusForbidden)
		return
	}
	by, ok := in.protect(w, r)
	if !ok {
		return
	}
	name := page(r)
	to, ok := routes[name]
	post, also := posts[name]
	if also && (r.Method == http.MethodPost || !ok) {
		to, ok = post, true
	}
	if !ok {
		to.json = strings.HasPrefix(name, "api/")
		in.fail(w, call{r, by}, to, requestError{http.StatusNotFound, "there is no such page"})
		return
	}
	if r.Method != to.method && (r.Method != http.MethodHead || to.method != http.MethodGet) {
		allowed := map[string]string{http.MethodGet: "GET, HEAD", http.MethodPost: "POST"}[to.method]
		if also && to.method == http.MethodGet {
			allowed += ", POST"
		}
		h.Set("Allow", allowed)
		in.fail(w, call{r, by}, to, requestError{http.StatusMethodNotAllowed, "the method must be " + allowed})
		return
	}
	if err := to.serve(in, w, call{r, by}); err != nil {
		in.fail(w, call{r, by}, to, err)
	}
}

// page returns the path of a request after the place where the inspector is mounted. That
// is where the pattern of a [http.ServeMux] ends that routed the request, or "/" if the path
// does not begin with the pattern, as after http.StripPrefix.
func page(r *http.Request) string {
	path := r.URL.Path
	_, pattern, _ := strings.Cut(r.Pattern, "/")
	if last := strings.LastIndexByte(pattern, '/'); last >= 0 && (strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, "...}")) {
		rest, matches := strings.TrimPrefix(path, "/"), true
		for segment := range strings.SplitSeq(pattern[:last], "/") {
			got, after, found := strings.Cut(rest, "/")
			matches = matches && found && (got == segment || strings.HasPrefix(segment, "{"))
			rest = after
		}
		if matches {
			return rest
		}
	}
	return strings.TrimPrefix(path, "/")
}

// fail answers a request that has failed.
func (in *Inspector) fail(w http.ResponseWriter, c call, to route, err error) {
	status, text := in.explain(c.Request, err)
	if to.json {
		writeJSON(w, c.Request, status, struct {
			Error string `json:"error"`
		}{text})
		return
	}
	v := struct {
		view
		Text string
	}{in.view(c, http.StatusText(status)), text}
	if err := render(w, c.Request, status, "fault", v); err != nil {
		http.Error(w, text, status)
	}
}
