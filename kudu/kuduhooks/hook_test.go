package kuduhooks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// Of requests for one URL at a time, one creates the hook, and all get it.
func TestSubscribeAtOnce(t *testing.T) {
	site := newRig()
	var ids [8]string
	var requests sync.WaitGroup
	for i := range ids {
		requests.Go(func() { ids[i] = subscribe(t, site, "e", "https://ci.example.com/a") })
	}
	requests.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("ids %q", ids)
		}
	}
	if list := do(site, "GET", "/api/hooks", "").Body.String(); strings.Count(list, `"id"`) != 1 {
		t.Errorf("hooks: %s", list)
	}
}

// URLs that differ by more than their case have hooks of their own, also by the password.
func TestURLsThatDiffer(t *testing.T) {
	site := newRig()
	urls := []string{"https://u:p@a.example", "https://u:q@a.example", "https://v:p@a.example", "https://a.example", "https://a.example/", "https://a.example/?u"}
	ids := make(map[string]bool)
	for _, url := range urls {
		ids[subscribe(t, site, "e", url)] = true
	}
	if len(ids) != len(urls) {
		t.Errorf("%d hooks, want %d", len(ids), len(urls))
	}
	var list []struct{ URL string }
	if err := json.Unmarshal(do(site, "GET", "/hooks", "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	for i, hook := range list {
		if hook.URL != urls[i] {
			t.Errorf("hook %d has %s, want %s", i, hook.URL, urls[i])
		}
	}
}

// A list has up to 4 MiB of bodies.
func TestListOfLargeBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newRig()
		site.run(t)
		const hooks = 6
		for i := range hooks {
			subscribe(t, site, "e", fmt.Sprintf("https://ci.example.com/%d", i))
		}
		if w := do(site, "POST", "/api/hooks/publish/e", `"`+strings.Repeat("a", 1<<20-2)+`"`); w.Code != 200 {
			t.Fatal(w.Code)
		}
		wait()
		list := do(site, "GET", "/hooks", "").Body.String()
		if sent, shown := strings.Count(list, `"last_status":"OK"`), hooks-strings.Count(list, `"last_context":null`); sent != hooks || shown != 4 {
			t.Errorf("%d hooks were called, %d of them have a body", sent, shown)
		}
	})
}
