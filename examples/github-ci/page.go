package main

import (
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// buildsPerPage is the number of builds on a page of the list.
	buildsPerPage = 50
	// maxPageLog is how many bytes of a log, from its end, the page of a build shows.
	maxPageLog = 256 << 10
)

//go:embed page
var pageFiles embed.FS

// templates are html/template templates: they escape all content of a repository.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"branch": func(ref string) string {
		return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/")
	},
	"short": func(commit string) string { return commit[:min(len(commit), 12)] },
	"when":  func(t time.Time) string { return t.UTC().Format(time.DateTime) },
	"took": func(b build) string {
		if b.Ended.IsZero() || b.Started.IsZero() {
			return ""
		}
		return b.Ended.Sub(b.Started).Round(time.Second).String()
	},
}).ParseFS(pageFiles, "page/*.html"))

// buildID matches the id of a build, which is a delivery's UID.
var buildID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// pages serves the list of builds and the log of each build. The pages need no
// login, and they only read.
type pages struct {
	store   *store
	logs    *logs
	log     *slog.Logger
	streams *streams
}

// mount registers the pages. Their links are relative, so they can be served
// below a path.
func (p *pages) mount(mux *http.ServeMux) {
	static, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.FileServerFS(static)
	mux.Handle("GET /{$}", withSecurityHeaders(p.list))
	mux.Handle("GET /builds/{id}", withSecurityHeaders(p.build))
	mux.Handle("GET /builds/{id}/log", withSecurityHeaders(p.text))
	mux.Handle("GET /builds/{id}/events", withSecurityHeaders(p.events))
	for _, name := range []string{"style.css", "follow.js"} {
		mux.Handle("GET /static/"+name, http.StripPrefix("/static", withSecurityHeaders(files.ServeHTTP)))
	}
}

// withSecurityHeaders adds headers that prevent a browser from executing the
// content of a log.
func withSecurityHeaders(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		h(w, r)
	})
}

// list serves the waiting pushes and the newest builds, or the builds before a
// given one.
func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	builds, err := p.store.newest(r.Context(), r.FormValue("before"), buildsPerPage)
	if err != nil {
		p.serverError(w, err)
		return
	}
	queued, err := p.store.queued(r.Context(), buildsPerPage)
	if err != nil {
		p.serverError(w, err)
		return
	}
	older := ""
	if len(builds) == buildsPerPage {
		older = builds[len(builds)-1].ID
	}
	p.render(w, "list.html", map[string]any{"Queued": queued, "Builds": builds, "Older": older})
}

// build serves one build with the end of its log. A script on the page appends
// the events that follow; the page is also complete without it.
func (p *pages) build(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	from := max(0, p.logs.size(b.ID)-maxPageLog)
	text, next, err := p.logs.read(b.ID, from, maxPageLog)
	if err != nil {
		p.serverError(w, err)
		return
	}
	p.render(w, "build.html", map[string]any{
		"Build": b, "Log": strings.ToValidUTF8(string(text), "\uFFFD"), "Cut": from > 0, "Finished": b.finished(),
		"Events": b.ID + "/events?from=" + strconv.FormatInt(next, 10),
	})
}

// text serves the whole log as plain text.
func (p *pages) text(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	http.ServeFile(w, r, p.logs.file(b.ID))
}

// find returns the build in the path. If there is none, it answers 404 and
// returns false.
func (p *pages) find(w http.ResponseWriter, r *http.Request) (build, bool) {
	id := r.PathValue("id")
	if !buildID.MatchString(id) {
		http.NotFound(w, r)
		return build{}, false
	}
	b, ok, err := p.store.get(r.Context(), id)
	switch {
	case err != nil:
		p.serverError(w, err)
	case !ok:
		http.NotFound(w, r)
	}
	return b, ok
}

func (p *pages) render(w http.ResponseWriter, name string, content any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := templates.ExecuteTemplate(w, name, content); err != nil {
		p.log.Debug("page not sent", "page", name, "reason", err)
	}
}

func (p *pages) serverError(w http.ResponseWriter, err error) {
	p.log.Error("page failed", "reason", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}
