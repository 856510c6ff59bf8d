package inspect_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The numbers are shared for a while, but who pauses a type must see that it is paused.
func TestWhoActsSeesWhatCameOfIt(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct{ act, typ, want string }{{"pause", "shop.order", "shop.order is paused"}, {"resume", "shop.order", "<h1>Deliveries</h1>"}} {
		r.get("")
		if w := r.postJSON("api/"+tt.act, `{"type":"`+tt.typ+`","why":"a test"}`); w.Code != 200 {
			t.Fatalf("%s: %d %s", tt.act, w.Code, w.Body)
		}
		page := r.get("").Body.String()
		if !strings.Contains(page, tt.want) || strings.Contains(page, "is paused") != (tt.act == "pause") {
			t.Errorf("after %s the page has not %q", tt.act, tt.want)
		}
	}
}

func TestAFilterByTheSendersIDIsInTheForm(t *testing.T) {
	if page := newRig(t).get("?id=evt_7").Body.String(); !strings.Contains(page, `name="id" value="evt_7"`) {
		t.Errorf("the form lost the ID: %s", page)
	}
}

// A stuckWriter takes a minute for each Write.
type stuckWriter struct{ http.ResponseWriter }

func (w stuckWriter) Write(text []byte) (int, error) {
	time.Sleep(time.Minute)
	return w.ResponseWriter.Write(text)
}

// Downloads over slow lines must leave room for the pages of deliveries.
func TestSlowDownloadsLeaveRoomForPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		d := r.put(delivery("", "{}"))
		codes := make(chan int, 10)
		for range 10 {
			go func() {
				w := httptest.NewRecorder()
				request := httptest.NewRequestWithContext(context.Background(), "GET", "/api/body?uid="+d.UID, nil)
				r.ServeHTTP(stuckWriter{w}, request)
				codes <- w.Code
			}()
		}
		synctest.Wait()
		if w := r.get("delivery?uid=" + d.UID); w.Code != http.StatusOK {
			t.Errorf("a page: %d %s", w.Code, w.Body)
		}
		got := make(map[int]int)
		for range 10 {
			got[<-codes]++
		}
		if got[200] != 2 || got[503] != 8 {
			t.Errorf("the downloads: %v", got)
		}
		if w := r.get("api/body?uid=" + d.UID); w.Code != http.StatusOK {
			t.Errorf("and after them: %d", w.Code)
		}
	})
}
