package main

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// maxForm is the largest body of a form in bytes.
const maxForm = 64 << 10

//go:embed page
var pageFiles embed.FS

// templates are html/template templates: they escape all that visitors, owners of webhooks
// and answers contain.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"when":    func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"took":    func(d time.Duration) string { return d.Round(time.Millisecond).String() },
}).ParseFS(pageFiles, "page/*.html"))

// A site is the pages of the guestbook. They are whole without a script, and each change is
// a form.
type site struct {
	comments  *comments
	publisher *publish.Publisher
	passwords []webhook.Secret
	log       *slog.Logger
}

// mount registers the pages.
func (s *site) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.book)
	mux.HandleFunc("POST /{$}", s.leave)
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=3600")
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	manage := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, withPassword(s.passwords, h)) }
	manage("GET /webhooks", s.listWebhooks)
	manage("POST /webhooks", s.addWebhook)
	manage("GET /webhooks/{id}", s.showWebhook)
	manage("GET /webhooks/{id}/delete", s.askDelete)
	manage("GET /webhooks/{id}/deliveries", s.listDeliveries)
	manage("GET /webhooks/{id}/deliveries/{event}", s.showDelivery)
	manage("POST /webhooks/{id}/deliveries/{event}/resend", s.resendDelivery)
	for action, h := range map[string]http.HandlerFunc{
		"edit": s.edit, "test": s.test, "pause": s.pause, "resume": s.resume, "rotate": s.rotate, "resend": s.resend, "delete": s.remove,
	} {
		manage("POST /webhooks/{id}/"+action, h)
	}
	mux.Handle("/", &wrongPath{log: s.log})
}

// protected bounds what requests can do: no form of another site is accepted, a body has a
// limit, and a browser loads nothing from elsewhere and runs no script.
func (s *site) protected(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fail(w, http.StatusForbidden, "This form was sent from another site. Nothing was changed.")
	}))
	next = csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would have the Origin null
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// render answers with a page.
func (s *site) render(w http.ResponseWriter, status int, name string, content any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, content); err != nil {
		s.log.Error("a page failed", "page", name, "reason", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

// fail answers with a page that says what went wrong.
func (s *site) fail(w http.ResponseWriter, status int, why string) {
	s.render(w, status, "failure.html", map[string]any{"Title": http.StatusText(status), "Why": why})
}

// internalError logs an error and answers with a page without it.
func (s *site) internalError(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Error("a request failed", "method", r.Method, "path", withoutToken(r.URL.Path), "reason", err)
	s.fail(w, http.StatusInternalServerError, "The guestbook cannot read or write its database now. Please try again later.")
}

// form reads the form of a request. If it cannot, it answers and returns false.
func (s *site) form(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		s.fail(w, http.StatusBadRequest, "The form is damaged or larger than 64 KiB. Nothing was changed.")
		return false
	}
	return true
}

// field returns a field of a form, without white space around it and with the line ends of
// Unix.
func field(r *http.Request, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n"))
}
