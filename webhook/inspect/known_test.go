package inspect_test

import (
	"fmt"
	"html"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestADeliveryHasItsSummary(t *testing.T) {
	r := newRig(t)
	r.Summarize = func(d *webhook.Delivery) string {
		if string(d.Body) == "panic" {
			panic("the body is odd")
		}
		return "order <b>7</b> of\x1b " + string(d.Body) + strings.Repeat("x", 500)
	}
	d := r.put(delivery("", "jane"))
	if page := r.get("delivery?uid=" + d.UID).Body.String(); !strings.Contains(page, `<p class="summary">order &lt;b&gt;7&lt;/b&gt; of\x1b janexxx`) || strings.Contains(page, strings.Repeat("x", 300)) {
		t.Errorf("%s", page)
	}
	if got := decode[struct{ Summary string }](t, r.get("api/delivery?uid="+d.UID)); !strings.HasPrefix(got.Summary, "order <b>7</b> of\x1b janexxx") {
		t.Errorf("%q", got.Summary)
	}
	for _, body := range []string{"panic", strings.Repeat("x", 1<<20+1)} {
		d := r.put(delivery("", body))
		if page := r.get("delivery?uid=" + d.UID); page.Code != 200 || strings.Contains(page.Body.String(), `class="summary"`) {
			t.Errorf("%.10s: %d", body, page.Code)
		}
	}
}

func TestWhatLikelySupersededADeliveryIsLinked(t *testing.T) {
	r := newRig(t)
	var uids []string
	for i := range 4 {
		d := delivery("order 7", "{}")
		d.Coalesce = webhook.NewestOnly()
		if i == 1 {
			d.Type, d.Coalesce = "shop.other", webhook.Coalesce{}
		}
		uids = append(uids, r.put(d).UID)
	}
	type likely struct {
		By   string   `json:"likely_superseded_by"`
		Them []string `json:"likely_superseded"`
	}
	for i, want := range []likely{{By: uids[2]}, {}, {By: uids[3], Them: uids[:1]}, {Them: []string{uids[2], uids[0]}}} {
		if diff := cmp.Diff(want, decode[likely](t, r.get("api/delivery?uid="+uids[i]))); diff != "" {
			t.Errorf("%d: -want +got\n%s", i, diff)
		}
		page := r.get("delivery?uid=" + uids[i]).Body.String()
		if strings.Contains(page, "the next is") != (want.By != "") || strings.Count(page, "Superseded before</dt>") != len(want.Them) {
			t.Errorf("%d: %s", i, page)
		}
	}
}

var curlText = regexp.MustCompile(`(?s)aria-label="Command">(.*?)</pre>`)

// The command is run by a shell in which curl is a func that prints its arguments.
func TestTheCurlCommandHasTheBodyAndNoSecret(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		body string
		file bool
	}{{`{"a":"it's $HOME and ` + "`id`" + ` <b>"}`, false}, {"", false}, {"@/etc/passwd\nline", false}, {"\x00\xff", true}, {strings.Repeat("x", 9<<10), true}} {
		r := newRig(t)
		d := delivery("", tt.body)
		d.UID = fmt.Sprint("it's-", i, "-$(id)")
		d.Header = http.Header{
			"Content-Type": {"application/json"}, "X-Hub-Signature-256": {"sha256=" + planted}, "X-Quote": {"it's '$(id)'"}, "X-Empty": {""},
			"Content-Length": {"7"}, hostile: {"x"}, "X-Hostile": {hostile},
		}
		r.put(d)
		page := r.get("delivery?uid=" + strings.NewReplacer("'", "%27", "$", "%24").Replace(d.UID)).Body.String()
		found := curlText.FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("no command: %s", page)
		}
		command := exec.CommandContext(t.Context(), shell, "-c", `curl() { for a in "$@"; do printf '%s\n--\n' "$a"; done; }; URL=http://x/; `+html.UnescapeString(found[1]))
		command.Dir = filepath.Clean(t.TempDir())
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		want := []string{"-X", "POST", "http://x/", "-H", "Content-Type: application/json", "-H", "X-Empty;", "-H", "X-Hub-Signature-256: REDACTED", "-H", "X-Quote: it's '$(id)'", "--data-raw", tt.body}
		if tt.file {
			want = append(want[:len(want)-2], "--data-binary", fmt.Sprintf("@delivery-it_s-%d-__id_.body", i))
		}
		if diff := cmp.Diff(strings.Join(want, "\n--\n")+"\n--\n", string(out)); diff != "" {
			t.Errorf("%d: -want +got\n%s", i, diff)
		}
		if strings.Contains(page, "Download the body") != tt.file {
			t.Errorf("%d: a link to the file", i)
		}
	}
}
