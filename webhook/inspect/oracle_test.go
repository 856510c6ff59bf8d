package inspect_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Who searches for a secret letter by letter must not learn from what is found that a
// reason has it.
func TestASearchDoesNotFindWhatIsNotShown(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.put(delivery("secret", "{}"))
		r.settle(webhook.Dead, "Post https://example.com/"+planted+": refused")
	}
	r.put(delivery("plain", "{}"))
	r.settle(webhook.Dead, "refused by 5up3")
	for _, limit := range []string{"1", "50"} {
		w := r.get("api/deliveries?limit=" + limit + "&text=" + planted[:4])
		if l := decode[listed](t, w); !slices.Equal(l.keys(), []string{"plain"}) || l.Next != 0 {
			t.Errorf("limit %s: found %v, next %d, want plain alone", limit, l.keys(), l.Next)
		}
	}
	if l := decode[listed](t, r.get("api/deliveries?text=REFUSED")); len(l.keys()) != 4 {
		t.Errorf("found %v, want all", l.keys())
	}
}

// Who acts writes why by hand, and may paste a URL.
func TestWhyIsShownWithoutSecrets(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("key", "{}"))
	r.put(delivery("other", "{}"))
	why := url.QueryEscape("see https://chat.example/" + planted)
	for _, form := range []string{"act=bury&uid=" + d.UID, "act=replay&uid=" + d.UID, "act=pause&type=shop.order"} {
		values, err := url.ParseQuery(form + "&why=" + why)
		if err != nil {
			t.Fatal(err)
		}
		if w := r.postForm(values, nil); w.StatusCode != 303 {
			t.Fatalf("%s: %d", form, w.StatusCode)
		}
	}
	for _, page := range append(htmlPages(d)[:2], "acts", "api/acts", "api/overview", "api/delivery?uid="+d.UID) {
		if w := r.get(page); w.Code != 200 || strings.Contains(w.Body.String(), planted) {
			t.Errorf("%s: %d, or it has the secret: %s", page, w.Code, w.Body)
		}
	}
}
