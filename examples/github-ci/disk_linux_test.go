package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Below the reserve a push is stored and waits, however often it is tried.
func TestBuildWaitsForFreeDiskSpace(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	r.args = []string{"-disk-reserve", "1000000T"}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha, created: true})
	r.untilPage("/", "waits for 1000000T of free disk space")
	if got := r.read(r.runs); got != "" || r.areas() != 0 {
		t.Errorf("a build has begun: %q, %d areas", got, r.areas())
	}
	if got := r.p.logText(); !strings.Contains(got, "the disk of -data has less free space than -disk-reserve") {
		t.Errorf("the log is %s", got)
	}
	r.signalAndWait(syscall.SIGTERM)
	s, err := connect(filepath.Join(r.dir, "data", "github-ci.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for record, err := range s.All(t.Context(), webhook.Filter{Source: "github"}) {
		if err != nil || record.Attempt != 0 {
			t.Errorf("%d attempts are counted, %v", record.Attempt, err)
		}
		if err := s.Release(t.Context(), record.Delivery.UID); err != nil { // instead of waiting for half a minute
			t.Error(err)
		}
	}
	r.args = nil
	r.start()
	r.untilStatus(sha, "success")
	r.hub.noFaults(t)
}

// onSmallDisk puts the data folder on a file system of its own. It returns false if the
// test may not mount one.
func (r *rig) onSmallDisk(size string) bool {
	r.Helper()
	if os.Geteuid() != 0 {
		leaveOut()
		return false
	}
	own := r.attr.Credential
	script := fmt.Sprintf(`mkdir -p data && mount -t tmpfs -o size=%s,mode=0700,uid=%d,gid=%d tmpfs data && exec setpriv --reuid=%[2]d --regid=%[3]d --clear-groups "$0" "$@"`, size, own.Uid, own.Gid)
	r.via = []string{"/bin/sh", "-c", script}
	r.attr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return true
}

// A build that fills the disk is stopped, and no push is refused meanwhile: with the
// database on the same disk because of the reserve, and with a database elsewhere even
// without one.
func TestFullBuildDiskRefusesNoPush(t *testing.T) {
	for _, tt := range []struct {
		name, state, detail string
		args                []string
	}{
		{"the database on the same disk", "error", "the disk for builds was nearly full", []string{"-disk-reserve", "24M"}},
		{"the database elsewhere", "failure", "exit status 1", []string{"-disk-reserve", "0", "-db", "elsewhere.db"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Slower than the reserve is checked, as a disk is and memory is not.
			r := newRig(t, "for n in $(seq 100); do head -c 1000000 /dev/zero >>$HOME/fill || exit 1; echo $n; sleep 0.05; done"+waitForGate)
			r.args = tt.args
			if !r.onSmallDisk("64M") {
				return
			}
			sha := r.repo.commit("main", "one")
			r.start()
			r.push(pushed{after: sha, created: true})
			ended := func() bool { _, last := r.hub.statusesOf(sha); return last.State == tt.state }
			n := 0
			r.until("the build that fills the disk ends", func() bool {
				n++
				r.push(pushed{ref: fmt.Sprintf("refs/heads/other/%d", n), after: sha, created: true}) // fails the test if it is refused
				if code, body := r.get("/healthz"); code != http.StatusOK {
					t.Fatalf("/healthz: %d %s", code, body)
				}
				return ended()
			})
			status, _ := r.untilStatus(sha, tt.state)
			if !strings.Contains(status.Description, tt.detail) {
				t.Errorf("the description is %q, want %q", status.Description, tt.detail)
			}
			if got := r.p.logText(); strings.Contains(got, "status=503") {
				t.Errorf("a push was refused:\n%s", got)
			}
			r.signalAndWait(syscall.SIGTERM)
		})
	}
}
