package inspect_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// Who reads a delivery must see that nothing proves who sent it.
func TestADeliveryThatIsNotSignedSaysSo(t *testing.T) {
	r := newRig(t)
	d := delivery("key", "{}")
	d.Unsigned = "read from https://api.example/deliveries?token=" + planted + " <b>"
	r.put(d)
	const shown = "read from https://api.example/REDACTED "
	got := decode[struct{ Unsigned string }](t, r.get("api/delivery?uid="+d.UID))
	if got.Unsigned != shown+"<b>" {
		t.Errorf("unsigned is %q", got.Unsigned)
	}
	if page := r.get("delivery?uid=" + d.UID).Body.String(); !strings.Contains(page, "No signature proves who sent it: "+shown+"&lt;b&gt;") {
		t.Errorf("the page does not say that it is not proven: %s", page)
	}
	const mark = `<span class="unsigned">unsigned</span>`
	if page := r.get("").Body.String(); strings.Count(page, mark) != 1 {
		t.Errorf("the list does not mark it: %s", page)
	}
	signed := r.put(delivery("key", "{}"))
	if page := r.get("delivery?uid=" + signed.UID).Body.String(); strings.Contains(page, "No signature") {
		t.Errorf("the page of one that is signed: %s", page)
	}
}

// A list marks it too, without the bodies, and so does what is sent live.
func TestAListSaysWhatIsNotSigned(t *testing.T) {
	r := newRig(t)
	d := delivery("unsigned", "{}")
	d.Unsigned = "read from the API of bob:" + "token=" + planted
	r.put(d)
	r.put(delivery("signed", "{}"))
	got := decode[struct {
		Deliveries []struct{ Key, Unsigned string }
	}](t, r.get("api/deliveries")).Deliveries
	other := delivery("unsigned", "{}")
	r.put(other)
	near := decode[struct{ Older []struct{ Unsigned string } }](t, r.get("api/neighbors?uid="+other.UID)).Older
	if len(near) != 1 || near[0].Unsigned == "" {
		t.Errorf("its neighbors: %+v", near)
	}
	if len(got) != 2 || got[0].Unsigned != "" || got[1].Unsigned != "read from the API of bob:token=REDACTED" {
		t.Errorf("%+v", got)
	}
}

// What is sent live is marked: what was there before, what is new, and what changes.
func TestALiveListSaysWhatIsNotSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		put := func(key, why string) {
			d := delivery(key, "{}")
			d.Unsigned = why
			r.put(d)
		}
		put("a", "found")
		put("b", "")
		s, leave := r.watch("", false)
		time.Sleep(3 * time.Second)
		put("c", "found later")
		time.Sleep(3 * time.Second)
		r.settle(webhook.Dead, "")
		time.Sleep(3 * time.Second)
		late, leaveLate := r.watch("", false)
		time.Sleep(3 * time.Second) // longer than between two looks
		leave()
		leaveLate()
		shown := func(list []updated) (lines []string) {
			for _, u := range list {
				for _, d := range u.Deliveries {
					lines = append(lines, d.Key+" "+d.State+" "+d.Unsigned)
				}
			}
			return lines
		}
		if d := cmp.Diff([]string{"a waiting found", "b waiting ", "c waiting found later", "a dead found"}, shown(s.updates(t))); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
		if d := cmp.Diff([]string{"a dead found", "b waiting ", "c waiting found later"}, shown(late.updates(t))); d != "" {
			t.Errorf("a later viewer: -want +got\n%s", d)
		}
	})
}
