package receivertest

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

var block = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// blocks returns the blocks of a language in the page for receivers.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	return blocksOf(t, "../../webhook/publish/RECEIVERS.md", language)
}

// blocksOf returns the blocks of a language in a page.
func blocksOf(t *testing.T, name, language string) (all []string) {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range block.FindAllStringSubmatch(string(page), -1) {
		if m[1] == language {
			all = append(all, m[2])
		}
	}
	if len(all) == 0 {
		t.Fatalf("the page has no block of %q", language)
	}
	return all
}

// execute runs a program in a folder with the files, and returns what it prints.
func execute(t *testing.T, files map[string]string, env []string, program string, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

// shell runs a block of the page with what it reads: variables and the file body.
func shell(t *testing.T, script string, r request, env ...string) (string, error) {
	t.Helper()
	env = append(env, "id="+r.header.Get("Webhook-Id"), "timestamp="+r.header.Get("Webhook-Timestamp"), "signature="+r.header.Get("Webhook-Signature"))
	return execute(t, map[string]string{"body": string(r.body)}, env, "sh", "-eu", "-c", script)
}

// The commands show the age in place of refusing an old request.
func TestTheShellCommandsVerify(t *testing.T) {
	if tools["openssl"] == "" {
		return
	}
	for _, c := range cases(t) {
		got, err := shell(t, blocks(t, "sh")[0], c.request, "secret="+c.secret)
		if want := c.genuine || strings.HasSuffix(c.name, "old"); err != nil || strings.HasPrefix(got, "genuine, sent ") != want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestTheRequestOfThePageVerifies(t *testing.T) {
	if tools["openssl"] == "" {
		return
	}
	values := make(map[string]string)
	for line := range strings.Lines(blocks(t, "")[0]) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[name] = strings.TrimSpace(value)
	}
	r := request{make(http.Header), []byte(values["body"])}
	for header, name := range map[string]string{"Webhook-Id": "id", "Webhook-Timestamp": "timestamp", "Webhook-Signature": "signature"} {
		r.header.Set(header, values[name])
	}
	if got, err := shell(t, blocks(t, "sh")[0], r, "secret="+values["secret"]); err != nil || !strings.HasPrefix(got, "genuine, sent ") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTheShellCommandsVerifyAPublicKey(t *testing.T) {
	if tools["openssl"] == "" {
		return
	}
	private := generated(t)
	public, _ := publish.PublicKey(private)
	r := sent(t, "standard-ed25519", string(private.Reveal()))
	if got, err := shell(t, blocks(t, "sh")[1], r, "key="+public); err != nil {
		t.Errorf("genuine: %s, %v", got, err)
	}
	r.body = append(r.body, ' ')
	if got, err := shell(t, blocks(t, "sh")[1], r, "key="+public); err == nil {
		t.Errorf("another body: %s", got)
	}
}

func TestTheShellCommandComputesAnHMAC(t *testing.T) {
	if tools["openssl"] == "" {
		return
	}
	r := sent(t, "github", "It's a Secret to Everybody")
	got, err := shell(t, blocks(t, "sh")[2], r, "secret=It's a Secret to Everybody")
	if want := strings.TrimPrefix(r.header.Get("X-Hub-Signature-256"), "sha256="); err != nil || got != want || want == "" {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
