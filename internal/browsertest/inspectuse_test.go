package browsertest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	downloads "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestInspector(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	useInspector(t, s, b, "owner", b.accessible)
}

func TestInspectorWithoutScripts(t *testing.T) {
	t.Parallel()
	s := inspectedService(t, &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}, withPassword)
	useInspector(t, s, newBrowser(t, s.URL, false), "owner", func(string) {})
}

// Nobody has to log in on the machine itself, so a person says who they are.
func TestInspectorOnPostgreSQL(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context())
	switch {
	case errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true":
		fmt.Println("left out:", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	db, err := sql.Open("pgx", server.DSN())
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	inbox := sqlinbox.New(db, sqlinbox.PostgreSQL)
	must(t, inbox.Migrate(t.Context()))
	t.Cleanup(func() { must(t, inbox.Close()) })
	s := inspectedService(t, inbox, inspect.LoopbackOnly)
	useInspector(t, s, newBrowser(t, s.URL, true), "", func(string) {})
}

// useInspector does all that a person can do. It calls check on each page. If the person is
// not logged in, owner is empty, and the pages ask who acts.
func useInspector(t *testing.T, s *inspected.Service, b *browser, owner string, check func(page string)) {
	who := owner
	act := func(name, why string) {
		t.Helper()
		if owner == "" {
			who = "ann"
			b.enter("by", who)
		}
		b.enter("why", why)
		b.click(name)
	}
	b.open("/")
	b.shows("No delivery matches.")
	check("the empty list")

	// The calls of the four senders arrive, and are handled.
	must(t, s.Samples(t.Context()))
	b.reloads("/?type=kudu.deployment&state=done", "kudu.deployment")
	b.reloads("/?type=jobserv.build&state=done", "jobserv.build")
	b.reloads("/?type=dockerhub.push&state=done", "dockerhub.push")
	b.reloads("/?type=github.push&state=done", "github.push")
	b.open("/")
	if rows := b.rows("#list"); len(rows) != 4 || !strings.Contains(rows[0], "kudu") || !strings.Contains(rows[3], "github.push") {
		t.Errorf("rows %q", rows)
	}
	check("the list")

	// A filter is in the URL, and in the history.
	b.run("open the filter", chromedp.Click(chromedp.CSS("summary")))
	b.enter("type", "github.push")
	check("the filter")
	b.click("Filter")
	filtered := b.path()
	if rows := b.rows("#list"); len(rows) != 1 || !strings.Contains(rows[0], "github.push") || !strings.Contains(filtered, "type=github.push") {
		t.Errorf("%s has the rows %q", filtered, rows)
	}
	b.back()
	if rows := b.rows("#list"); len(rows) != 4 || b.path() != "/" {
		t.Errorf("%s has the rows %q", b.path(), rows)
	}
	b.open(filtered)
	if rows := b.rows("#list"); len(rows) != 1 {
		t.Errorf("the URL of the filter has the rows %q", rows)
	}

	// The delivery, in each view.
	b.next("open the delivery", chromedp.Click(chromedp.CSS("#list a")))
	delivery := b.path()
	b.shows("refs/heads/main")
	b.shows("X-Hub-Signature-256")
	b.shows("REDACTED")
	if text := b.text("pre"); !strings.HasPrefix(text, "{\n  \"ref\": \"refs/heads/main\",\n") {
		t.Errorf("as JSON: %.100q", text)
	}
	check("a delivery")
	b.click("As hex")
	if text := b.text("pre"); !strings.HasPrefix(text, "00000000  7b 22 72 65 66 22 3a 22") {
		t.Errorf("as hex: %.100q", text)
	}
	check("a delivery in hex")
	b.click("As text")
	if text := b.text("pre"); text != string(webhooktest.GitHubPush()) {
		t.Errorf("as text: %.100q", text)
	}
	if body := b.download(); !bytes.Equal(body, webhooktest.GitHubPush()) {
		t.Errorf("downloaded: %.100q", body)
	}

	// One that fails is replayed, and its second attempt appears.
	s.Callback(func(context.Context, *webhook.Delivery) error {
		return webhook.Permanent(errors.New("no such <b>branch</b>"))
	})
	b.click("Deliveries")
	b.open(delivery)
	b.click("replay…")
	b.shows("This finished delivery runs again")
	check("the question")
	act("replay", "the branch is there")
	if b.path() != delivery {
		t.Errorf("after a replay the page is %s", b.path())
	}
	b.reloads(delivery, "dead no such <b>branch</b>")
	b.click("replay…")
	act("replay", "now it is")
	eventually(t, "a second attempt", func() bool {
		b.open(delivery)
		return len(b.rows("h2 + table")) > 0 && strings.Count(b.text("main"), "no such <b>branch</b>") == 3
	})
	for _, want := range []string{"worker 1", "the branch is there", "now it is", who} {
		b.shows(want)
	}
	check("a dead delivery")

	// A type that is paused waits, and one of its deliveries is given up.
	b.open("/?type=github.release")
	b.click("Pause github.release")
	act("pause", "the mirror is full")
	b.shows("github.release is paused")
	b.shows("by " + who + ": the mirror is full")
	must(t, s.GitHub(t.Context(), "release", webhooktest.GitHubRelease()))
	b.open("/delivery?uid=" + uid(t, s, "github.release"))
	b.shows("waiting")
	check("a delivery that waits")
	b.click("bury…")
	act("bury", "nobody wants it")
	b.shows("nobody wants it")
	b.shows("dead")
	b.open("/")
	check("the list while paused")
	b.click("Resume")
	act("resume", "it is empty")
	if text := b.text("main"); strings.Contains(text, "is paused") {
		t.Errorf("after resume: %s", text)
	}

	// One that waits for its next attempt is made due.
	s.Callback(func(context.Context, *webhook.Delivery) error { return errors.New("the registry is away") })
	must(t, s.GitHub(t.Context(), "issues", webhooktest.GitHubIssue()))
	b.reloads("/delivery?uid="+uid(t, s, "github.issues"), "waiting the registry is away")
	s.Callback(nil)
	b.click("release…")
	act("release", "it is back")
	b.reloads(b.path(), "done")

	// All of it is on the page of acts.
	b.click("Acts")
	var acts []string
	for _, row := range b.rows("main table") {
		if cells := strings.Split(row, " | "); len(cells) == 6 && cells[3] == who && cells[5] == "done" {
			acts = append(acts, cells[1]+" "+cells[4])
		}
	}
	want := []string{
		"release it is back", "resume it is empty", "bury nobody wants it", "pause the mirror is full", "replay now it is", "replay the branch is there",
	}
	if !slices.Equal(acts, want) {
		t.Errorf("acts %q\nwant %q", acts, want)
	}
	check("the acts")

	b.expect("status of 404")
	b.open("/delivery?uid=none")
	b.shows("there is no such delivery")
	check("an error")
}

// download clicks Download and returns the file.
func (b *browser) download() []byte {
	b.t.Helper()
	dir := b.t.TempDir()
	params := downloads.SetDownloadBehaviorParams{Behavior: downloads.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir}
	if _, err := chromedp.CallBrowser(b.ctx, downloads.SetDownloadBehavior, params); err != nil {
		b.t.Fatal(err)
	}
	b.run("download", chromedp.Click(chromedp.Search(`//a[normalize-space()="Download"]`)))
	var names []string
	eventually(b.t, "a file", func() bool {
		names, _ = filepath.Glob(filepath.Join(dir, "delivery-*.body"))
		return len(names) == 1
	})
	body, err := os.ReadFile(names[0])
	must(b.t, err)
	return body
}
