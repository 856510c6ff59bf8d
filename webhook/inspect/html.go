package inspect

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"
)

//go:embed assets
var assets embed.FS

// templates are the pages. All links are relative to the place where the inspector is
// mounted, which may be behind a proxy that changes the path.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"v":     func(text string) string { return visible(text, false) },
	"short": func(text string) string { return clip(text, 160) },
	"long":  func(text string) string { return clip(text, 4096) },
	"when": func(t time.Time) template.HTML {
		t = t.UTC() // digits and marks only
		return template.HTML(`<time datetime="` + t.Format(time.RFC3339Nano) + `">` + t.Format("2006-01-02 15:04:05") + `</time>`)
	},
	"deliveryURL": deliveryURL,
	"callURL":     callURL,
	"viewURL": func(uid, kind string) string {
		return "delivery?" + url.Values{"uid": {uid}, "view": {kind}}.Encode() + "#body"
	},
	"bodyURL": func(uid string) string { return "api/body?" + url.Values{"uid": {uid}}.Encode() },
	"actURL":  func(act, typ string) string { return "act?" + url.Values{"act": {act}, "type": {typ}}.Encode() },
	"keyURL":  func(source, key string) string { return "./?" + url.Values{"source": {source}, "key": {key}}.Encode() },
	"sendURL": func(uid string) string { return "send?" + url.Values{"uid": {uid}}.Encode() },
}).ParseFS(assets, "assets/*.html"))

func deliveryURL(uid string) string { return "delivery?" + url.Values{"uid": {uid}}.Encode() }

// clip returns the first n bytes of a text, at a character.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

// A view is what every page has.
type view struct {
	Title    string
	By       string
	ReadOnly bool
	CanSend  bool
	Links    []Link
}

func (in *Inspector) view(c call, title string) view {
	return view{title, c.by, in.readOnly(), in.canSend(), in.Links}
}

// render answers with a page. It is written when it is complete.
func render(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name, data); err != nil {
		return fmt.Errorf("inspect: the page %s cannot be made: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text.Bytes()) // the viewer has gone
	}
	return nil
}

// asset serves an embedded file.
func asset(name, contentType string) func(in *Inspector, w http.ResponseWriter, c call) error {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic("inspect: " + err.Error())
	}
	return func(_ *Inspector, w http.ResponseWriter, c call) error {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		if c.Method != http.MethodHead {
			_, _ = w.Write(text) // the viewer has gone
		}
		return nil
	}
}
