// Package page serves the list of builds and the log of each build as web pages.
package page

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hookhouse/hookhouse/examples/github-ci/buildlog"
	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

const (
	// buildsPerPage is the number of builds on a page of the list.
	buildsPerPage = 50
	// maxPageLog is how many bytes of a log, from its end, the page of a build shows.
	maxPageLog = 256 << 10
)

//go:embed *.html *.css *.js
var files embed.FS

// templates are html/template templates: they escape all content of a repository.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"branch": func(ref string) string {
		return Printable(strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/"))
	},
	"short": func(commit string) string { return commit[:min(len(commit), 12)] },
	"when":  func(t time.Time) string { return t.UTC().Format(time.DateTime) },
	"took": func(b builds.Build) string {
		if b.Ended.IsZero() || b.Started.IsZero() {
			return ""
		}
		return b.Ended.Sub(b.Started).Round(time.Second).String()
	},
}).ParseFS(files, "*.html"))

// buildID matches the id of a build, which is a delivery's UID.
var buildID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Pages are the list of builds and the page and the log of each build. They need no
// login, and all but the button to build again only read.
type Pages struct {
	Inbox  *sqlinbox.Inbox
	Builds *builds.Store
	Logs   *buildlog.Logs
	Log    *slog.Logger
	Again  func(builds.Build) bool // whether a build may be built again; if nil, none has the button
	// Inspector is the URL of the inspector, relative to that of the list of builds, which
	// has a link to it. If it is empty, there is no link.
	Inspector string
	// Host is the name that the pages have for browsers, without a port. The button works
	// there, and at an IP address or localhost.
	Host string
}

// Mount registers the pages. Their links are relative, so they can be served
// below a path. Responses in progress are cut off when ctx ends.
func (p *Pages) Mount(ctx context.Context, mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, cutOff(ctx, withSecurityHeaders(h))) }
	handle("GET /{$}", p.list)
	handle("GET /builds/{id}", p.build)
	handle("GET /builds/{id}/log", p.text)
	handle("GET /builds/{id}/events", p.events)
	for _, name := range []string{"style.css", "follow.js"} {
		handle("GET /static/"+name, http.StripPrefix("/static", http.FileServerFS(files)).ServeHTTP)
	}
	if p.Again != nil {
		handle("POST /builds/{id}/again", http.NewCrossOriginProtection().Handler(p.atOwnHost(p.buildAgain)).ServeHTTP)
	}
}

// atOwnHost refuses requests for other hosts. A page of somebody else can have its name lead
// to this program (DNS rebinding), and its requests are of the same origin then; but they
// have that name.
func (p *Pages) atOwnHost(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := (&url.URL{Host: r.Host}).Hostname(); !p.isOwn(name) {
			p.Log.Warn("build again refused: the request is for another host than that of -url", "host", r.Host, "client", r.RemoteAddr)
			http.Error(w, "the pages are not at this host: use that of -url, or an IP address", http.StatusForbidden)
			return
		}
		h(w, r)
	})
}

func (p *Pages) isOwn(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost") || p.Host != "" && strings.EqualFold(name, p.Host)
}

// cutOff ends the requests of h when ctx ends, within a second: a reader that is stuck
// must not delay the end of the program.
func cutOff(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ctx, func() {
			cancel()
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second))
		})()
		h.ServeHTTP(w, r.WithContext(request))
	})
}

// withSecurityHeaders adds headers that prevent a browser from executing the
// content of a log.
func withSecurityHeaders(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("Cache-Control", "no-store")
		h(w, r)
	})
}

// list serves the waiting pushes and the newest builds, or the builds before a
// given one; all of them, or those of a repository or of one of its refs.
func (p *Pages) list(w http.ResponseWriter, r *http.Request) {
	only := builds.Selection{Repository: r.FormValue("repository"), Ref: r.FormValue("ref")}
	newest, err := p.Builds.Newest(r.Context(), only, r.FormValue("before"), buildsPerPage)
	if err != nil {
		p.serverError(w, err)
		return
	}
	queued, err := p.Builds.Queued(r.Context(), only, buildsPerPage)
	if err != nil {
		p.serverError(w, err)
		return
	}
	older := ""
	if len(newest) == buildsPerPage {
		older = newest[len(newest)-1].ID
	}
	p.render(w, "list.html", map[string]any{
		"Only": only, "Queued": queued, "Builds": newest, "Older": older, "Inspector": p.Inspector,
	})
}

// build serves one build with the end of its log. A script on the page appends
// the events that follow; the page is also complete without it.
func (p *Pages) build(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	text, next, cut, err := p.Logs.Tail(b.ID, maxPageLog)
	if err != nil {
		p.serverError(w, err)
		return
	}
	p.render(w, "build.html", map[string]any{
		"Build": b, "Log": strings.ToValidUTF8(string(text), "\uFFFD"), "Cut": cut, "Finished": b.Finished(), "Again": p.Again != nil && b.Finished(),
		"Events": b.ID + "/events?from=" + strconv.FormatInt(next, 10),
	})
}

// text serves the whole log as plain text.
func (p *Pages) text(w http.ResponseWriter, r *http.Request) {
	if b, ok := p.find(w, r); ok {
		p.Logs.ServeText(w, r, b.ID)
	}
}

// events streams the log; see buildlog.Logs.ServeEvents.
func (p *Pages) events(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	err := p.Logs.ServeEvents(w, r, b.ID, func(ctx context.Context) (buildlog.State, error) {
		now, ok, err := p.Builds.Get(ctx, b.ID)
		if err == nil && !ok {
			err = errors.New("the build was deleted")
		}
		return buildlog.State{State: now.State, Detail: now.Detail, Running: now.State == builds.Running, Finished: now.Finished()}, err
	})
	if err != nil {
		p.Log.Debug("log stream ended", "build", b.ID, "reason", err)
	}
}

// buildAgain makes a finished build run again, unless a newer push of its ref was built:
// then the newer state is kept.
func (p *Pages) buildAgain(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	if !p.Again(b) { // the worker would ignore it
		http.Error(w, b.Ref+" of "+b.Repository+" is not configured any more", http.StatusConflict)
		return
	}
	record, err := p.Inbox.Get(r.Context(), b.ID)
	stale := false
	if err == nil {
		stale, err = p.Inbox.Stale(r.Context(), record.Delivery)
	}
	if err == nil && !stale {
		_, err = p.Inbox.Replay(r.Context(), webhook.Filter{UID: b.ID}, webhook.Note{By: "build again", Why: r.RemoteAddr})
	}
	switch {
	case stale:
		http.Error(w, "there is a newer push of "+b.Ref+": build that one again", http.StatusConflict)
	case errors.Is(err, webhook.ErrNotFound):
		http.Error(w, "the push was deleted: push again", http.StatusConflict)
	case errors.Is(err, webhook.ErrState):
		http.Error(w, "a push of "+b.Ref+" is waiting or being built", http.StatusConflict)
	case err != nil:
		p.serverError(w, err)
	default:
		p.Log.Info("build again", "build", b.ID, "client", r.RemoteAddr)
		if err := p.Builds.SetAgain(r.Context(), b); err != nil {
			p.Log.Error("build runs again, but its state was not recorded", "build", b.ID, "reason", err)
		}
		w.Header().Set("Location", "../"+b.ID)
		w.WriteHeader(http.StatusSeeOther)
	}
}

// find returns the build in the path. If there is none, it answers 404 and
// returns false.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) (builds.Build, bool) {
	id := r.PathValue("id")
	if !buildID.MatchString(id) {
		http.NotFound(w, r)
		return builds.Build{}, false
	}
	b, ok, err := p.Builds.Get(r.Context(), id)
	switch {
	case err != nil:
		p.serverError(w, err)
	case !ok:
		http.NotFound(w, r)
	}
	return b, ok
}

func (p *Pages) render(w http.ResponseWriter, name string, content any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := templates.ExecuteTemplate(w, name, content); err != nil {
		p.Log.Debug("page not sent", "page", name, "reason", err)
	}
}

func (p *Pages) serverError(w http.ResponseWriter, err error) {
	p.Log.Error("page failed", "reason", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// Printable returns text without characters that are not shown but change how the rest is
// shown, such as those that reverse the direction of writing.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
