package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

// addSite adds a second site with a user and a password of its own to the rig. Its API
// answers with status, if that is not 0.
func (r *rig) addSite(t *testing.T, status *atomic.Int32) *kudutest.Server {
	t.Helper()
	const password = "other-s3cret-0123456789"
	other := &kudutest.Server{User: "$other", Password: webhook.NewSecret(password)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if code := status.Load(); code != 0 {
			w.WriteHeader(int(code))
			return
		}
		other.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.args = append(r.args, "-site", server.URL, "-user", "$other")
	r.env = append(r.env, "KUDU_PASSWORD="+sitePassword+"\n"+password)
	return other
}

func TestSeveralSites(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.addSite(t, new(atomic.Int32))
	p := r.start(t)
	p.waitForLog(t, subscribed) // the second site
	publish := func(at *kudutest.Server, run kudu.TriggeredJobRun) {
		t.Helper()
		if got, err := at.Publish(t.Context(), kudu.EventTriggeredJobFinished, run); err != nil || len(got) != 1 || !got[0].Result.Delivered {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	// Jobs of the same name at two sites, which do not name their site.
	publish(r.site, runAt(1, kudu.JobFailed, ""))
	publish(other, runAt(2, kudu.JobSuccess, ""))
	publish(other, runAt(3, kudu.JobFailed, ""))
	publish(r.site, runAt(4, kudu.JobSuccess, ""))
	publish(other, runAt(5, kudu.JobSuccess, ""))
	got := make(map[string]bool)
	for _, one := range r.urlTarget.nextSummaries(t, 4) {
		got[one] = true
	}
	if diff := cmp.Diff(map[string]bool{"failure 1": true, "failure 3": true, "recovery 4": true, "recovery 5": true}, got); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	p.stop(t)
	out, status := execute(t, r.env, append(r.args, "-unsubscribe")...)
	if status != 0 || len(r.site.Hooks())+len(other.Hooks()) != 0 {
		t.Errorf("-unsubscribe: exit status %d, %d and %d hooks\n%s", status, len(r.site.Hooks()), len(other.Hooks()), out)
	}
}

// A second site that denies access does not end what the first one gets.
func TestDeniedSecondSite(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(t).stop(t)
	var denied atomic.Int32
	denied.Store(http.StatusUnauthorized)
	other := r.addSite(t, &denied)
	p := r.startUntil(t, subscriptionFailed)
	p.waitForLog(t, subscriptionFailed) // the retry fails too
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.urlTarget.notice(t)
	denied.Store(0)
	for len(other.Hooks()) != 2 {
		p.waitForLog(t, subscribed) // of either site
	}
	p.stop(t)
}

func TestFieldsCannotForgeLines(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-slack-mention", "here, U012AB3CD,S98765432")
	p := r.start(t)
	d := deployment(1, kudu.StatusFailed)
	d.Author = "alice\nStatus: success\r*Status*\u2028success \u202e<!channel>"
	d.Message = "fix\nStatus: success\rStatus: success\u0085Status: success\u2028By:     bob"
	r.deploy(t, d)
	text := strings.ReplaceAll(next(t, r.mail.accepted).text, "\r\n", "\n")
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("\n\r\u0085\u2028", r) }) {
		if strings.HasPrefix(line, "Status:") && line != "Status: failed" || strings.Contains(line, "bob") && line != "> By: bob" {
			t.Errorf("the mail has the line %q:\n%s", line, text)
		}
	}
	const author = "*By*\nalice Status: success *Status* success \uFFFD&lt;!channel&gt;"
	const mention = "<!here> <@U012AB3CD> <!subteam^S98765432>"
	got := r.slack.message(t)
	if by := got.Blocks[3].Fields[1].Text; by != author {
		t.Errorf("Slack received %q, want %q", by, author)
	}
	if got.Blocks[1].Text.Text != mention || !strings.HasSuffix(got.Text, "failed "+mention) {
		t.Errorf("Slack received %q and %q, want the mention %q", got.Blocks[1].Text.Text, got.Text, mention)
	}
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.slack.message(t); strings.Contains(got.Text, "@") || strings.Contains(got.Blocks[1].Text.Text, "here") {
		t.Errorf("a recovery mentions people: %+v", got)
	}
	p.stop(t)
}
