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
	// pageBuilds is how many builds a page lists.
	pageBuilds = 50
	// pageLog is how much of a log's end a page has in it, in bytes.
	pageLog = 256 << 10
)

//go:embed page
var pageFiles embed.FS

// templates escape whatever comes from a repository, by where it stands.
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

// buildID is what names a build: a delivery's UID.
var buildID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// pages are what people see: the list of builds, and the log of each. They are
// open to whoever reaches the address; all they do is read.
type pages struct {
	store   *store
	logs    *logs
	log     *slog.Logger
	streams *streams
}

// mount registers the pages. Their links are relative, so that they may be
// served below a path.
func (p *pages) mount(mux *http.ServeMux) {
	static, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.FileServerFS(static)
	mux.Handle("GET /{$}", guarded(p.list))
	mux.Handle("GET /builds/{id}", guarded(p.build))
	mux.Handle("GET /builds/{id}/log", guarded(p.text))
	mux.Handle("GET /builds/{id}/events", guarded(p.events))
	for _, name := range []string{"style.css", "follow.js"} {
		mux.Handle("GET /static/"+name, http.StripPrefix("/static", guarded(files.ServeHTTP)))
	}
}

// guarded sets the headers under which a browser takes nothing for code that
// came out of a log.
func guarded(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		h(w, r)
	})
}

// list shows what waits and the newest builds, or those before one.
func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	builds, err := p.store.newest(r.Context(), r.FormValue("before"), pageBuilds)
	if err != nil {
		p.fail(w, err)
		return
	}
	queued, err := p.store.queued(r.Context(), pageBuilds)
	if err != nil {
		p.fail(w, err)
		return
	}
	older := ""
	if len(builds) == pageBuilds {
		older = builds[len(builds)-1].ID
	}
	p.render(w, "list.html", map[string]any{"Queued": queued, "Builds": builds, "Older": older})
}

// build shows one build with the end of its log. The script on it follows the
// events from there on; without a script the page is whole as it is.
func (p *pages) build(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	from := max(0, p.logs.size(b.ID)-pageLog)
	text, next, err := p.logs.read(b.ID, from, pageLog)
	if err != nil {
		p.fail(w, err)
		return
	}
	p.render(w, "build.html", map[string]any{
		"Build": b, "Log": strings.ToValidUTF8(string(text), "\uFFFD"), "Cut": from > 0, "Finished": b.finished(),
		"Events": b.ID + "/events?from=" + strconv.FormatInt(next, 10),
	})
}

// text is the whole log, as plain text.
func (p *pages) text(w http.ResponseWriter, r *http.Request) {
	b, ok := p.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	http.ServeFile(w, r, p.logs.file(b.ID))
}

// find returns the build that the path names, or answers that there is none.
func (p *pages) find(w http.ResponseWriter, r *http.Request) (build, bool) {
	id := r.PathValue("id")
	if !buildID.MatchString(id) {
		http.NotFound(w, r)
		return build{}, false
	}
	b, ok, err := p.store.get(r.Context(), id)
	switch {
	case err != nil:
		p.fail(w, err)
	case !ok:
		http.NotFound(w, r)
	}
	return b, ok
}

func (p *pages) render(w http.ResponseWriter, name string, content any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := templates.ExecuteTemplate(w, name, content); err != nil {
		p.log.Debug("page was not sent", "page", name, "reason", err)
	}
}

func (p *pages) fail(w http.ResponseWriter, err error) {
	p.log.Error("page could not be made", "reason", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}
