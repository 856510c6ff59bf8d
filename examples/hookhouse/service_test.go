package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// opsPassword is the password of the user ops.
const opsPassword = "2f9e-the-password-of-ops"

// opsEnv names the user and the password of the inspector.
var opsEnv = []string{"HOOKHOUSE_USER=ops", "HOOKHOUSE_PASSWORD=" + opsPassword}

// attemptTimes are those of attempts, which a service shows in microseconds.
var attemptTimes = regexp.MustCompile(`"took_ms":[\d.]+,`)

// inspector serves the inspector of the inbox of a rig, and returns its URL.
func (r *rig) inspector(t *testing.T) (url string, in *inspect.Inspector) {
	t.Helper()
	in, err := inspect.New(r.inbox, inspect.BasicAuth(map[string]webhook.Secret{"ops": webhook.NewSecret(opsPassword)}))
	if err != nil {
		t.Fatal(err)
	}
	in.Logger = slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", in)
	server := httptest.NewServer(mux)
	t.Cleanup(func() { in.Close(); server.CloseClientConnections(); server.Close() })
	return server.URL + "/debug/hooks/", in
}

// TestAServicePrintsWhatItsDatabasePrints: the output of a command does not depend on where
// the deliveries are read.
func TestAServicePrintsWhatItsDatabasePrints(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	dead := r.dead(t, "github.push", "acme/app\x1b[2J", "no \x1b[31mred\nline")
	waiting := r.put(t, "jobserv.build", "acme/lib")
	r.settle(t, waiting, webhook.Outcome{State: webhook.Waiting, Reason: "busy", Delay: time.Hour})
	claimed := r.put(t, "kudu.PostDeployment", "site")
	r.claim(t, claimed)
	r.done(t, "dockerhub.push", "acme/image")
	for _, args := range [][]string{
		{"list"}, {"list", "-json"}, {"list", "-state", "dead,waiting", "-limit", "1"}, {"list", "-text", "BUSY", "-since", "1h"}, {"list", "-uid", dead},
		{"list", "-key", "none"}, {"show", dead}, {"show", dead, "-json"}, {"show", waiting}, {"show", claimed, "-json"}, {"show", claimed, "-body"},
		{"show", dead, "-body", "-json"}, {"show", "00ff"}, {"attempts", waiting}, {"attempts", dead, "-json"}, {"attempts", claimed},
	} {
		want := hookhouse(t, nil, append(args, "-db", r.database)...)
		got := hookhouse(t, opsEnv, append(args, "-url", url)...)
		for _, res := range []*result{&want, &got} {
			// The last digits of a signature are not shown by the service.
			res.out = strings.ReplaceAll(strings.ReplaceAll(res.out, "mac:5a5a5a5a…", "mac:REDACTED"), `mac:5a5a5a5a\u2026`, "mac:REDACTED")
			res.out = strings.Join(alike(strings.Split(res.out, "\n")), "\n")
			res.out = attemptTimes.ReplaceAllString(res.out, "")
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(result{})); d != "" {
			t.Errorf("%q: -database +service\n%s", args, d)
		}
	}
}

func TestActsOnAService(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	act := func(args ...string) result { return hookhouse(t, opsEnv, append(args, "-url", url)...) }
	expect := func(got result, out string) {
		t.Helper()
		if got.code != 0 || got.out != out+"\n" {
			t.Errorf("%+v, want %q", got, out)
		}
	}
	dead := []string{r.dead(t, "github.push", "a", "no"), r.dead(t, "github.push", "b", "no"), r.dead(t, "jobserv.build", "c", "no")}
	waiting := []string{r.put(t, "github.push", "d"), r.put(t, "github.push", "e"), r.put(t, "kudu.PostDeployment", "f")}

	expect(act("replay", dead[0], "-why", "x"), "replayed 1 delivery")
	expect(act("replay", "-state", "dead", "-why", "x", "-yes", "-every", "1ms"), "replayed 2 deliveries")
	expect(act("bury", waiting[0], "-why", "x"), "buried "+waiting[0])
	expect(act("bury", "-key", "e", "-why", "x", "-yes"), "buried 1 delivery")
	expect(act("release", waiting[2]), "released "+waiting[2])
	expect(act("pause", "github.push", "-why", "x"), "paused github.push")
	want := []webhook.State{"waiting", "waiting", "waiting", "dead", "dead", "waiting"}
	if d := cmp.Diff(want, r.states(t, append(dead, waiting...)...)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if re := r.get(t, dead[1]).Replays; len(re) != 1 || re[0].By != "ops" || re[0].Why != "x" {
		t.Errorf("recorded: %+v, want by the user of the inspector", re)
	}
	stats := act("stats")
	if !strings.Contains(stats.out, "paused: github.push, now by ops: x\n") || !strings.Contains(stats.out, "all                           4") {
		t.Errorf("%+v", stats)
	}
	expect(act("resume", "github.push", "-why", "x"), "resumed github.push")
	again := act("resume", "github.push", "-why", "x")
	if again.code != exitFailed || !strings.Contains(again.err, "409 Conflict") || strings.Count(again.err, "\n") != 1 {
		t.Errorf("%+v", again)
	}
	if none := act("replay", "00ff", "-why", "x"); none.code != exitNothing || !strings.Contains(none.err, `there is no delivery "00ff"`) {
		t.Errorf("%+v", none)
	}
	expect(act("-check"), "the service answers")
}

// TestFaultsOfAService: each is one line, which says what to do, and none has the password.
func TestFaultsOfAService(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	readOnly, in := r.inspector(t)
	in.ReadOnly = true
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\x1b[2J")) }))
	defer page.Close()
	withUser := strings.Replace(url, "http://", "http://ops:"+opsPassword+"@", 1)
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		code int
		says string
	}{
		{"no password", nil, []string{"list", "-url", url}, exitFailed, "set -user and HOOKHOUSE_PASSWORD"},
		{"a wrong password", []string{"HOOKHOUSE_USER=ops", "HOOKHOUSE_PASSWORD=wrong"}, []string{"list", "-url", url}, exitFailed, `this was said to the user "ops"`},
		{"a user without a password", nil, []string{"list", "-url", url, "-user", "ops"}, exitUsage, "set HOOKHOUSE_PASSWORD or HOOKHOUSE_PASSWORD_FILE"},
		{"a password without a user", []string{"HOOKHOUSE_PASSWORD=" + opsPassword}, []string{"list", "-url", url}, exitUsage, "set -user or HOOKHOUSE_USER"},
		{"a user in the URL", opsEnv, []string{"list", "-url", withUser}, exitUsage, "it has a user, which belongs elsewhere"},
		{"a URL of the environment", append(opsEnv, "HOOKHOUSE_URL="+withUser), []string{"list"}, exitUsage, "it has a user"},
		{"both", opsEnv, []string{"list", "-url", url, "-db", "x"}, exitUsage, "-db and -url are both set"},
		{"both of the environment", []string{"HOOKHOUSE_URL=" + url, "HOOKHOUSE_DB=x"}, []string{"list"}, exitUsage, "HOOKHOUSE_DB and HOOKHOUSE_URL are both set"},
		{"another page", opsEnv, []string{"list", "-url", page.URL}, exitFailed, "this is not an inspector: "},
		{"nobody listens", opsEnv, []string{"tail", "-url", "http://127.0.0.1:1/"}, exitFailed, "connection refused"},
		{"read-only", opsEnv, []string{"resume", "-url", readOnly, "-all", "-why", "x"}, exitFailed, "this inspector is read-only"},
		{"no reason", opsEnv, []string{"replay", "00ff", "-url", url}, exitUsage, "needs -why: a service records who acts and why"},
		{"another name", opsEnv, []string{"pause", "-all", "-why", "x", "-by", "jane", "-url", url}, exitFailed, "the act is recorded by \\\"ops\\\", who is logged in"},
		{"give-up", opsEnv, []string{"give-up", "00ff", "-url", url, "-why", "x"}, exitUsage, "the API of a service has no give-up; use -db"},
		{"release-key", opsEnv, []string{"release-key", "a", "-source", "b", "-url", url}, exitUsage, "the API of a service has no release-key; use -db"},
		{"discard", opsEnv, []string{"discard", "00ff", "-url", url}, exitUsage, "the API of a service has no discard; use -db"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.put(t, "github.push", "a")
			got := hookhouse(t, tt.env, tt.args...)
			lines := strings.Count(strings.TrimSuffix(got.err, "\n"), "\n")
			if got.code != tt.code || got.out != "" || !strings.Contains(got.err, tt.says) || lines > 0 {
				t.Errorf("exit %d, want %d and %q:\n%s%s", got.code, tt.code, tt.says, got.out, got.err)
			}
			if strings.Contains(got.out+got.err, opsPassword) || strings.Contains(got.err, "\x1b") {
				t.Errorf("the password or a control character is printed: %q", got.err)
			}
		})
	}
}
