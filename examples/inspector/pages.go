package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// maxForm is the largest form in bytes: each byte of a text may be sent as three.
const maxForm = 3*(maxSetBody+maxSetHeaderText) + 16<<10

//go:embed page
var pageFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"when":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"link":   func(name string) string { return "bins?" + url.Values{"name": {name}}.Encode() },
	"source": func(b bin) string { return b.source().Name },
	"list":   func(source string) string { return "./?" + url.Values{"source": {source}}.Encode() },
	// Only the host, since the rest of the URL may have a token.
	"host": func(to string) string {
		if u, err := url.Parse(to); err == nil {
			return u.Host
		}
		return ""
	},
}).ParseFS(pageFiles, "page/*.html"))

// pages are the list of bins and the form to set one. They work without script.
type pages struct {
	bins    *bins
	guard   *addrguard.Guard
	protect inspect.Protect
	cross   *http.CrossOriginProtection
	log     *slog.Logger
}

func newPages(b *bins, s *settings, protect inspect.Protect, log *slog.Logger) *pages {
	return &pages{b, s.guard(), protect, http.NewCrossOriginProtection(), log}
}

// ServeHTTP serves /bins and its style.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would have the Origin null
	if err := p.cross.Check(r); err != nil {
		http.Error(w, "the form comes from another site", http.StatusForbidden)
		return
	}
	by, ok := p.protect(w, r)
	if !ok {
		return
	}
	switch isRead := r.Method == http.MethodGet || r.Method == http.MethodHead; {
	case isRead && r.URL.Path == "/bins.css":
		http.ServeFileFS(w, r, pageFiles, "page/bins.css")
	case isRead:
		p.show(w, r)
	case r.Method == http.MethodPost:
		p.change(w, r, by)
	default:
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "the method must be GET, HEAD or POST", http.StatusMethodNotAllowed)
	}
}

// A binsView is the list of bins, and the form of one.
type binsView struct {
	Title  string
	Bins   []bin
	Counts map[string]int // of captures, by the name of the bin
	Form   binForm
	Fault  string
}

// show shows the list with the form for a new bin, or the form of a bin.
func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" {
		form := formOf(newBin("", time.Time{}))
		form.IsNew, form.Life = true, "24h"
		p.render(w, http.StatusOK, form, "")
		return
	}
	b, ok := p.bins.get(name)
	if !ok {
		http.Error(w, "there is no such bin; it may have expired", http.StatusNotFound)
		return
	}
	p.render(w, http.StatusOK, formOf(b.bin), "")
}

func (p *pages) render(w http.ResponseWriter, status int, form binForm, fault string) {
	v := binsView{Title: "Bins", Form: form, Fault: fault}
	if form.IsNew {
		v.Bins, v.Counts = p.bins.list(), make(map[string]int)
		for _, b := range v.Bins {
			v.Counts[b.Name] = p.bins.captures.count(b.Name)
		}
	} else {
		v.Title = "Bin " + form.Name
	}
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, "bins.html", v); err != nil {
		p.log.Error("a page failed", "reason", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the viewer has left
}

// change does what a form asks for.
func (p *pages) change(w http.ResponseWriter, r *http.Request, by string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, fmt.Sprintf("the form is damaged, or has more than %d bytes; nothing was changed", maxForm), http.StatusBadRequest)
		return
	}
	form := readForm(r)
	switch do := r.PostForm.Get("do"); do {
	case "save":
		b, err := form.bin(r.Context(), p.guard)
		if err == nil {
			err = p.bins.save(r.Context(), b, form.IsNew)
		}
		if errors.Is(err, errNotStored) {
			p.log.Error("a bin is not stored", "reason", err)
			err = errNotStored
		}
		if err != nil {
			p.render(w, http.StatusUnprocessableEntity, form, err.Error())
			return
		}
		p.log.Info("a bin is set", "bin", b.Name, "by", by)
	case "delete":
		if err := p.bins.end(r.Context(), form.Name, true); err != nil {
			p.log.Error("a bin is not deleted", "reason", err)
			http.Error(w, "the bin is not deleted, or not all of its captures; try again", http.StatusInternalServerError)
			return
		}
		p.log.Info("a bin is deleted", "bin", form.Name, "by", by)
	default:
		http.Error(w, fmt.Sprintf("do is %.64q, not save or delete", do), http.StatusBadRequest)
		return
	}
	w.Header().Set("Location", "bins") // http.Redirect would use the path, which a proxy may have changed
	w.WriteHeader(http.StatusSeeOther)
}
