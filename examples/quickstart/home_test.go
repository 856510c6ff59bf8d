package main

import (
	"bufio"
	"html"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// page returns the text of a page of the inspector.
func page(t *testing.T, url string) string {
	t.Helper()
	res := ask(t, http.MethodGet, url)
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v: %s", url, res.StatusCode, err, text)
	}
	return string(text)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// fields returns the hidden fields of the forms of a page.
func fields(page string) url.Values {
	values := make(url.Values)
	for _, field := range hidden.FindAllStringSubmatch(page, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	return values
}

// What a new user does: run the demo, open the page that it names, open a delivery, replay it,
// and see that it has run again.
func TestDemoIsSeenAndReplayed(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "-demo")
	printed := make(map[string]string)
	for range demoSamples {
		l := p.next(t)
		printed[l.Type] = p.out.Text()
	}
	home := <-p.home
	if home != p.url+"/" {
		t.Fatalf("the demo names the page %q, want %s/", home, p.url)
	}
	list := page(t, home)
	for typ := range printed {
		if !strings.Contains(list, "<td>"+typ+"</td>") {
			t.Errorf("the list lacks %s:\n%s", typ, list)
		}
	}
	link := regexp.MustCompile(`<a href="(delivery[^"]+)">.*</a></td>\n<td>github.push</td>`).FindStringSubmatch(list)
	if len(printed) != 4 || link == nil {
		t.Fatalf("%d types were printed, and the push has the link %q", len(printed), link)
	}
	delivery := home + html.UnescapeString(link[1])
	opened := page(t, delivery)
	if !strings.Contains(opened, "push of 1 commit to acme/app main by janeroe") || !strings.Contains(opened, "refs/heads/main") || !strings.Contains(opened, `<button name="act" value="replay">`) {
		t.Fatalf("the delivery has no summary or no body, or cannot be replayed:\n%s", opened)
	}

	form := fields(page(t, home+"act?act=replay&"+fields(opened).Encode()))
	form.Set("by", "Ada")
	form.Set("why", "to see it run again")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, home+"do", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{ // as a browser sends it, which the protection against forged forms asks for
		"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {p.url}, "Sec-Fetch-Site": {"same-origin"},
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Request.URL.String(); res.StatusCode != http.StatusOK || got != delivery {
		t.Fatalf("the replay leads to %s with status %d, want %s", got, res.StatusCode, delivery)
	}
	if p.next(t); p.out.Text() != printed["github.push"] {
		t.Errorf("the second run printed %s, want %s", p.out.Text(), printed["github.push"])
	}
	again := func() bool {
		text := page(t, delivery)
		return strings.Contains(text, `<span class="state done">`) && strings.Contains(text, "<dd>1, of a replay</dd>") &&
			strings.Contains(text, "<td>Ada</td><td>to see it run again</td>")
	}
	for began := time.Now(); !again(); {
		if time.Since(began) > time.Minute {
			t.Fatalf("the page lacks the second run:\n%s", page(t, delivery))
		}
	}

	if got := status(t, http.MethodPost, p.url+"/hooks/jobserv"); got != http.StatusUnauthorized || !strings.Contains(page(t, home+"calls"), "no X-Jobserv-Sig header") {
		t.Errorf("a call without a signature: status %d, want 401, and the page of calls that names the header:\n%s", got, page(t, home+"calls"))
	}
	live := bufio.NewReader(ask(t, http.MethodGet, home+"api/live").Body)
	if _, err := live.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.log)
	}
	if _, err := io.ReadAll(live); err != nil {
		t.Errorf("the live list was cut off: %v", err)
	}
}

func TestDemoIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "-demo")
	<-p.home // an end before that of the demo is an error
	for _, tt := range []struct {
		name, method, path string
		header             []string
		want               int
	}{
		{"a name that leads to this machine", "GET", "/", []string{"Host", "rebound.example.com"}, 403},
		{"through a tunnel", "GET", "/api/deliveries", []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"a form of another site", "POST", "/do", []string{"Origin", "https://example.com"}, 403},
	} {
		if res := ask(t, tt.method, p.url+tt.path, tt.header...); res.StatusCode != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, res.StatusCode, tt.want)
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// A sender with a wrong URL gets 404 and a line in the log, beside the inspector as without.
func TestWrongPathBesideTheInspector(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{"off": nil, "with a password": {inspectName + "=" + adminPassword}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env = append(env, "KUDU_WEBHOOK_TOKEN="+kuduToken)
			p := start(t, env, "-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "test.db"))
			for _, path := range []string{"/", "/hook/github", "/hooks/githup", "/github", "/api/github"} {
				if got := status(t, http.MethodPost, p.url+path); got != http.StatusNotFound {
					t.Errorf("POST %s: status %d, want 404", path, got)
				}
			}
			pages := map[string]int{"/": 404, "/api/deliveries": 404, "/hooks/githup": 404}
			if len(env) > 1 {
				pages["/"], pages["/api/deliveries"] = 401, 401
				page(t, strings.Replace(p.url, "://", "://ada:"+adminPassword+"@", 1)+"/")
			}
			for path, want := range pages {
				if got := status(t, http.MethodGet, p.url+path); got != want {
					t.Errorf("GET %s: status %d, want %d", path, got, want)
				}
			}
			if err := p.stop(); err != nil {
				t.Error(err)
			}
			log := p.log.String()
			for _, path := range []string{"/", "/hook/github", "/hooks/githup", "/github", "/api/github"} {
				if !strings.Contains(log, `msg="nothing is served at this path" method=POST path=`+path+" ") {
					t.Errorf("the log lacks %s:\n%s", path, log)
				}
			}
			if isOff := strings.Contains(log, "the inspector is off"); isOff != (len(env) == 1) || strings.Contains(log, adminPassword) {
				t.Errorf("it is off: %v, or the log shows the password:\n%s", isOff, log)
			}
		})
	}
}
