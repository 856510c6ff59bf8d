package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"html"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A signFunc returns the request of a sender, signed.
type signFunc func(ctx context.Context, key webhook.Secret, m message) (*http.Request, error)

// A message is what a request has.
type message struct {
	url, id, event string // the id is empty if a new one is to be made
	body           []byte
}

var signers = map[string]signFunc{
	"github": func(ctx context.Context, key webhook.Secret, m message) (*http.Request, error) {
		return (&webhooktest.GitHub{Secret: key}).Request(ctx, m.id, m.url, m.event, m.body)
	},
	"jobserv": func(ctx context.Context, key webhook.Secret, m message) (*http.Request, error) {
		return (&webhooktest.JobServ{Secret: key}).Request(ctx, m.url, m.body)
	},
	"dockerhub": func(ctx context.Context, key webhook.Secret, m message) (*http.Request, error) {
		r, err := (&webhooktest.DockerHub{}).Request(ctx, m.url, m.body)
		return withToken(r, err, key)
	},
	"kudu": func(ctx context.Context, key webhook.Secret, m message) (*http.Request, error) {
		r, err := (&webhooktest.Kudu{}).Request(ctx, m.url, m.body)
		return withToken(r, err, key)
	},
	"standard": func(ctx context.Context, key webhook.Secret, m message) (*http.Request, error) {
		r, err := (&webhooktest.DockerHub{}).Request(ctx, m.url, m.body) // it has a Content-Type and nothing else
		if err != nil {
			return nil, err
		}
		if m.id != "" {
			r.Header.Set("Webhook-Id", m.id)
		}
		return r, (&webhook.StandardWebhooks{Keys: webhook.Keys(key)}).Sign(r, m.body)
	},
}

// withToken puts a token where the receiver expects it; see [TestKey].
func withToken(r *http.Request, err error, token webhook.Secret) (*http.Request, error) {
	if err != nil {
		return nil, err
	}
	keys := webhook.Keys(token)
	if strings.Contains(r.URL.Path, "{token}") || r.URL.Query().Has("token") {
		return r, webhook.URLToken(keys...).Sign(r, nil)
	}
	return r, (&webhook.BasicAuth{Keys: keys}).Sign(r, nil)
}

// signed returns the request for a body, which is that of the delivery or in its place.
func (s sending) signed(ctx context.Context, key TestKey, body []byte, d *webhook.Delivery) (*http.Request, error) {
	m := message{url: s.URL, body: body, event: cmp.Or(s.Event, d.Header.Get("X-GitHub-Event"), "push")}
	if s.KeepID {
		if m.id = d.ID; m.id == "" || !isHeaderText(m.id) {
			return nil, badRequest("the delivery has no ID that could be kept")
		}
	}
	if !isHeaderText(m.event) {
		return nil, badRequest("the delivery has no event that could be sent")
	}
	r, err := signers[key.Sender](ctx, key.Secret, m)
	if err != nil {
		return nil, badRequest("the request cannot be made: %v", err)
	}
	r.Header.Del("Accept-Encoding") // the answer is shown
	if typ := cmp.Or(s.Type, d.Header.Get("Content-Type")); typ != "" {
		if _, _, err := mime.ParseMediaType(typ); err != nil || !isHeaderText(typ) {
			return nil, badRequest("the Content-Type %.64q cannot be sent", typ)
		}
		r.Header.Set("Content-Type", typ)
	}
	return r, nil
}

// isHeaderText reports whether a value may be in a header. Control characters would begin
// another header.
func isHeaderText(value string) bool {
	return len(value) <= maxHeader && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// proofsOf returns what must not be shown of a request: its key, and what was made with it, in
// the forms in which a receiver may write them, longest first.
func proofsOf(r *http.Request, key webhook.Secret) (list []string) {
	secret := string(key.Reveal())
	texts := []string{secret}
	for _, prefix := range []string{"whsec_", "whsk_"} {
		texts = append(texts, strings.TrimPrefix(secret, prefix))
	}
	for name, values := range r.Header {
		if !provingName.MatchString(name) {
			continue
		}
		for _, v := range values {
			texts = append(texts, v)
			if i := strings.IndexAny(v, "=:, "); i >= 0 {
				texts = append(texts, v[i+1:])
			}
		}
	}
	for _, text := range texts {
		asJSON, _ := json.Marshal(text) // a string can be written
		quoted := strconv.Quote(text)   // as most writers of JSON do, which keep & as it is
		for _, form := range []string{text, string(asJSON[1 : len(asJSON)-1]), quoted[1 : len(quoted)-1]} {
			list = append(list, form, strings.ReplaceAll(form, "/", `\/`))
		}
		list = append(list, url.PathEscape(text), url.QueryEscape(text), html.EscapeString(text))
	}
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(list)
}
