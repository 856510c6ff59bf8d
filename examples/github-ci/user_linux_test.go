package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// capabilities are those that -as needs. The service file and compose.yaml grant
// no others.
var capabilities = []uintptr{0, 5, 6, 7} // CHOWN, KILL, SETGID, SETUID

// runAs makes the program run as the user own. If there are users for builds, it
// sets -as and gives the program the capabilities that -as needs.
func (r *rig) runAs(own testUser, builds ...testUser) {
	r.Helper()
	r.belongTo(own)
	if err := os.Mkdir(r.runs+".d", 0o777); err != nil {
		r.Fatal(err)
	} // builds may write to it
	if err := os.Chmod(r.runs+".d", 0o777); err != nil {
		r.Fatal(err)
	}
	if len(builds) > 0 {
		r.attr.AmbientCaps = capabilities
		var names []string
		for _, u := range builds {
			names = append(names, u.name())
		}
		r.args = append(r.args, "-as", strings.Join(names, ","))
	}
	// Only the program's user may read the files of the secrets.
	r.env = []string{"GITHUB_TOKEN=", "GITHUB_WEBHOOK_SECRET=", "GITHUB_TOKEN_FILE=token", "GITHUB_WEBHOOK_SECRET_FILE=secret"}
	for name, text := range map[string]string{"token": token, "secret": hookSecret} {
		r.write(name, text)
		if err := os.Chmod(filepath.Join(r.dir, name), 0o600); err != nil {
			r.Fatal(err)
		}
		if err := os.Lchown(filepath.Join(r.dir, name), int(own), int(own)); err != nil {
			r.Fatal(err)
		}
	}
}

// probeScript is a script that looks for secrets in every place that a build can reach,
// and tries to do harm.
const probeScript = `
exec >$RUNS.d/probe 2>&1 # not to the log, which hides the secrets
id -u; grep -E '^(Cap(Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status
for file in /proc/[0-9]*/environ; do tr '\0' '\n' <$file | grep -a Authorization || true; done 2>/dev/null
cat ../../../../token ../../../../secret 2>/dev/null || true; echo
ls ../../../logs >/dev/null 2>&1 && echo the logs can be listed
test -r ../../../github-ci.db && echo the queue can be read
ls ../.. && echo the areas can be listed
ls $(cat $GATE.area)/src && cat $(cat $GATE.store)/HEAD && echo the area of another can be read
touch ../objects/x ../x && echo what was fetched can be changed
for task in /proc/$PPID/task/*; do kill -0 ${task##*/} 2>/dev/null && echo the supervisor can be killed; done
touch file.txt $HOME/x; git rev-parse HEAD; mkdir -p $HOME/locked/up/a; chmod 0 $HOME/locked/up $HOME/locked .
echo probed`

func TestOnlyOwnUsersBuildCanReadSecrets(t *testing.T) {
	users := testUsers(t, 3)
	if users == nil {
		return
	}
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
	run := func(t *testing.T, builds ...testUser) (r *rig, log string) {
		r = newRig(t, probeScript)
		private := r.hub.repository(t, "acme/private")
		secret, sha := private.commit("main", "private"), r.repo.commit("main", "one")
		config := r.read(filepath.Join(r.dir, "github-ci.yaml"))
		r.write("github-ci.yaml", config+"  - {name: acme/private, remote: '"+r.hub.URL+"/git/acme/private.git', branches: [main], command: 'true'}\n")
		r.runAs(users[0], builds...)
		release := r.hub.hold()
		r.start()
		r.push(pushed{repository: "acme/private", after: secret, created: true})
		r.until("the private repository is being fetched", func() bool { r.hub.mu.Lock(); defer r.hub.mu.Unlock(); return r.hub.fetches > 0 })
		areas, err := filepath.Glob(filepath.Join(r.dir, "data", "work", "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(areas) != 1 {
			t.Fatalf("len(areas) = %d, want 1: %v", len(areas), areas)
		}
		stores, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*"))
		if err != nil || len(stores) != 1 {
			t.Fatalf("stores: %q, %v", stores, err)
		}
		r.write("gate.area", areas[0])
		r.write("gate.store", stores[0])
		r.push(pushed{after: sha, created: true})
		_, path := r.untilStatus(sha, "success")
		log = "\n" + r.read(r.runs+".d/probe")
		if shown := r.page(path + "/log"); strings.Contains(shown, token) || strings.Contains(shown, hookSecret) {
			t.Fatalf("the log shows a secret: %q", shown)
		}
		if !strings.Contains(log, sha+"\nprobed\n") {
			t.Fatalf("log = %q, want it to contain %q", log, sha+"\nprobed\n")
		}
		release()
		r.untilStatus(secret, "success")
		r.until("the files of both builds are removed", func() bool {
			left, err := filepath.Glob(filepath.Join(r.dir, "data", "work", "*", "[hs]*")) // home, src
			return err == nil && len(left) == 0
		})
		r.hub.noFaults(t)
		return r, log
	}
	const warning = "commands run as the user of github-ci"
	t.Run("the program's own user", func(t *testing.T) {
		r, log := run(t)
		if got := r.p.logText(); !strings.Contains(got, warning) {
			t.Fatalf("r.p.logText() = %q, want it to contain %q", got, warning)
		}
		if !strings.Contains(log, fmt.Sprintf("\n%d\n", users[0])) {
			t.Fatalf("log = %q, want it to contain %q", log, fmt.Sprintf("\n%d\n", users[0]))
		}
		if !strings.Contains(log, "Authorization: Basic "+basic) {
			t.Fatalf("the probe finds the token in the git process of another build: log = %q, want it to contain %q", log, "Authorization: Basic "+basic)
		}
		if !strings.Contains(log, token+hookSecret) {
			t.Fatalf("the probe finds the secrets in their files: log = %q, want it to contain %q", log, token+hookSecret)
		}
		if !strings.Contains(log, "\nthe queue can be read\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "\nthe queue can be read\n")
		}
		if !strings.Contains(log, "\nthe logs can be listed\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "\nthe logs can be listed\n")
		}
		if !strings.Contains(log, "\nthe areas can be listed\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "\nthe areas can be listed\n")
		}
		if !strings.Contains(log, "\nthe area of another can be read\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "\nthe area of another can be read\n")
		}
		if !strings.Contains(log, "\nwhat was fetched can be changed\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "\nwhat was fetched can be changed\n")
		}
		if !strings.Contains(log, "\nthe supervisor can be killed\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "\nthe supervisor can be killed\n")
		}
	})
	t.Run("another user", func(t *testing.T) {
		r, log := run(t, users[1], users[2])
		if got := r.p.logText(); strings.Contains(got, warning) {
			t.Fatalf("r.p.logText() = %q, want it not to contain %q", got, warning)
		}
		if want := fmt.Sprintf("\n(%d|%d)\n", users[1], users[2]); !regexp.MustCompile(want).MatchString(log) {
			t.Fatalf("log = %q, want it to match %q", log, want)
		}
		if !strings.Contains(log, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n") {
			t.Fatalf("log = %q, want it to contain %q", log, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n")
		}
		for _, secret := range []string{"Authorization: Basic", basic, token, hookSecret} {
			if strings.Contains(log, secret) {
				t.Fatalf("log = %q, want it not to contain %q", log, secret)
			}
		}
		for _, harm := range []string{"read", "listed", "changed", "killed"} {
			if refused := "\nthe .* can be " + harm + "\n"; regexp.MustCompile(refused).MatchString(log) {
				t.Fatalf("log = %q, want it not to match %q", log, refused)
			}
		}
		if strings.Contains(log, "\nwhat was fetched can be changed\n") {
			t.Fatalf("log = %q, want it not to contain %q", log, "\nwhat was fetched can be changed\n")
		}
		// The next build of the same branch may run as either user.
		next := r.repo.commit("main", "two")
		r.push(pushed{after: next})
		r.untilStatus(next, "success")
	})
}

func TestOtherUsersProcessesAreKilled(t *testing.T) {
	users := testUsers(t, 2)
	if users == nil {
		return
	}
	r := newRig(t, strings.ReplaceAll(leaveProcesses, "$RUNS", "$RUNS.d/left")+"echo all started"+waitForGate)
	r.runAs(users[0], users[1])
	r.runs += ".d/left"
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha})
	interrupted := r.startedPIDs()
	r.signalAndWait(syscall.SIGKILL)
	if err := os.Remove(r.runs + ".pids"); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.noneAlive(interrupted)
	ended := r.startedPIDs()
	r.openGate()
	r.untilStatus(sha, "success")
	r.noneAlive(ended)
}
