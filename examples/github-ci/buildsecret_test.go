package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// A secret reaches the command of the repository that lists it and no other, and no log
// shows it, also if it is written in two parts. The command is on no page.
func TestSecretsOfBuilds(t *testing.T) {
	const secret, fromFile = "hunter2-in-the-environment", "one more, with a comma"
	r := newRig(t, `printf '%s' "${REGISTRY_PASSWORD%????}"; sleep 0.1; printf '%s\n' "${REGISTRY_PASSWORD#"${REGISTRY_PASSWORD%????}"}"
echo "all: $REGISTRY_PASSWORD$DEPLOY_KEY, $(printf %s "$REGISTRY_PASSWORD" | wc -c) bytes"
test "$UNUSED" = "" && : marker-in-the-command
echo "[github-ci] 00:00:00 success"`, "    secrets: [REGISTRY_PASSWORD, DEPLOY_KEY]\n",
		"  - {name: acme/other, remote: '$HUB/git/acme/other.git', branches: [main], command: 'env | grep -c -e REGISTRY -e DEPLOY || true'}\n")
	config := r.read(filepath.Join(r.dir, "github-ci.yaml"))
	r.write("github-ci.yaml", strings.ReplaceAll(config, "$HUB", r.hub.URL))
	r.write("key", fromFile+"\n")
	r.env = []string{"REGISTRY_PASSWORD=" + secret, "UNUSED=set-but-not-for-builds"}
	r.args = []string{"-secret", "REGISTRY_PASSWORD", "-secret", "DEPLOY_KEY=key"}
	other := r.hub.repository(t, "acme/other")
	sha, otherSHA := r.repo.commit("main", "one"), other.commit("main", "other")
	r.start()
	r.push(pushed{after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	log := r.page(path + "/log")
	for _, want := range []string{"\n***\n", "all: ******, 26 bytes\n", "\n| [github-ci] 00:00:00 success\n", "running the command with a time limit of 30m0s\n"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log is %q, want it to contain %q", log, want)
		}
	}
	pages := log + r.page(path) + r.page("/")
	for _, hidden := range []string{secret, fromFile, "hunter2", "marker-in-the-command"} {
		if strings.Contains(pages, hidden) {
			t.Errorf("the pages contain %q", hidden)
		}
	}
	files, err := filepath.Glob(filepath.Join(r.dir, "data", "logs", "*"))
	if err != nil || len(files) != 1 || strings.Contains(r.read(files[0]), "hunter2") {
		t.Errorf("%q, %v: a file contains the secret", files, err)
	}
	r.push(pushed{repository: "acme/other", after: otherSHA, created: true})
	_, path = r.untilStatus(otherSHA, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "\n0\n") {
		t.Errorf("another repository gets the secrets: %q", got)
	}
	r.hub.noFaults(t)
}

// The program's own secrets: one on each line, none of them short, and with a comma if
// they have one.
func TestOwnSecrets(t *testing.T) {
	r := newRig(t, "true")
	r.env = []string{"GITHUB_WEBHOOK_SECRET=Aq7,xK2mPz9wRt4uVb6y\n" + hookSecret}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha, created: true})
	r.untilStatus(sha, "success")
	if got := r.p.logText(); !strings.Contains(got, "name=GITHUB_WEBHOOK_SECRET live=2") {
		t.Errorf("the log does not say how many secrets are live:\n%s", got)
	}
	forger := sender
	forger.Secret = webhook.NewSecret("Aq7")
	body := pushed{repository: "acme/app", ref: "refs/heads/main", after: sha}.body()
	if forger.Deliver(t.Context(), r.p.url+"/hooks/github", "push", body).Delivered {
		t.Error("a part of the secret before a comma is accepted")
	}
	for _, name := range []string{"", "-wal", "-shm"} {
		file := filepath.Join(r.dir, "data", "github-ci.db"+name)
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", file, info, err)
		}
	}
}
