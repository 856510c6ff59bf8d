package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func TestInvalidStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good.txt", "# all of them\n\nacme/app:^1=web\n")
	bad := write("bad.txt", "acme/app:^1=web\nacme/app:^^2=other\n")
	bare := t.TempDir()
	if err := os.WriteFile(filepath.Join(bare, "faults.json"),
		[]byte(`[{"Command": "compose version", "When": "before", "Do": "unknown command: docker compose"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	blank := write("token", "\n")
	hook := []string{"DOCKERHUB_WEBHOOK_TOKEN=" + token}
	tests := map[string]struct {
		args []string
		env  []string
		says string
	}{
		"an unknown flag":                    {[]string{"-wath=x"}, hook, "flag provided but not defined: -wath"},
		"an argument":                        {[]string{"-rules", good, "web"}, hook, `unexpected argument "web"`},
		"no rule":                            {nil, hook, "no rule: "},
		"a bad rule":                         {[]string{"-watch", "acme/app:^^1=web"}, hook, `rule "acme/app:^^1=web": "^^1" is not a version range`},
		"a bad rule in a file":               {[]string{"-rules", bad}, hook, bad + `:2: rule "acme/app:^^2=other": "^^2" is not a version range`},
		"a missing file of rules":            {[]string{"-rules", "missing.txt"}, hook, "missing.txt: no such file"},
		"two rules for a container":          {[]string{"-rules", good, "-watch", "acme/b:latest=web"}, hook, `rule "acme/b:latest=web": web already has a rule: "acme/app:^1=web"`},
		"no token":                           {[]string{"-rules", good}, nil, "DOCKERHUB_WEBHOOK_TOKEN is not set"},
		"two sources of the token":           {[]string{"-rules", good}, append(hook, "DOCKERHUB_WEBHOOK_TOKEN_FILE=x"), "both DOCKERHUB_WEBHOOK_TOKEN and"},
		"a missing token file":               {[]string{"-rules", good}, []string{"DOCKERHUB_WEBHOOK_TOKEN_FILE=missing"}, "missing: no such file"},
		"an empty token file":                {[]string{"-rules", good}, []string{"DOCKERHUB_WEBHOOK_TOKEN_FILE=" + blank}, "holds an empty token"},
		"a token that is invalid in a URL":   {[]string{"-rules", good}, []string{"DOCKERHUB_WEBHOOK_TOKEN=a/b"}, "characters that a URL cannot contain"},
		"a registry user without a password": {[]string{"-rules", good}, append(hook, "REGISTRY_USERNAME=x"), "only one of REGISTRY_USERNAME and REGISTRY_PASSWORD"},
		"an invalid registry":                {[]string{"-rules", good, "-registry", "http://x/"}, hook, "-registry: "},
		"two ways to deploy":                 {[]string{"-rules", good, "-exec", "true", "-compose", "compose.yaml"}, hook, "-compose and -exec cannot be combined"},
		"a missing program":                  {[]string{"-rules", good, "-exec", "./deploy.sh"}, hook, "-exec: "},
		"a variable that is not set":         {[]string{"-rules", good, "-env", "DB_PASSWORD"}, hook, "-env DB_PASSWORD: the variable is not set"},
		"a missing Compose file":             {[]string{"-rules", good, "-compose", "missing.yaml"}, hook, "missing.yaml: no such file"},
		"a missing second Compose file":      {[]string{"-rules", good, "-compose", "compose.yaml", "-compose", "missing.yaml"}, hook, "missing.yaml: no such file"},
		"a docker without compose":           {[]string{"-rules", good, "-compose", "compose.yaml"}, append(hook, "DOCKER_FAKE_DIR="+bare), "-compose: docker compose, a plugin of the docker program, is required: docker compose version: exit status 1"},
		"a bad Compose file":                 {[]string{"-rules", good, "-compose", "bad.yaml"}, append(hook, "DOCKER_FAKE_DIR="+dir), "required variable DB_PASSWORD is missing a value: set it"},
		"no docker program":                  {[]string{"-rules", good}, append(hook, "PATH=/nowhere"), "the docker program is required"},
		"a database in a missing folder":     {[]string{"-rules", good, "-db", "/nowhere/x.db"}, hook, "-db: "},
		"an invalid address":                 {[]string{"-rules", good, "-addr", "256.0.0.1:1"}, hook, "listen tcp"},
		"a zero command timeout":             {[]string{"-rules", good, "-command-timeout", "0s"}, hook, "-command-timeout must be greater than 0s"},
		"a zero quiet period":                {[]string{"-rules", good, "-quiet-period", "0s"}, hook, "-quiet-period, -health-timeout, -min-uptime and -command-timeout must be greater than 0s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "program"), test.args...)
			cmd.Dir, cmd.Env = t.TempDir(), append([]string{"PATH=" + bin}, test.env...)
			if err := os.WriteFile(filepath.Join(cmd.Dir, "compose.yaml"), []byte("services: {}"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(cmd.Dir, "bad.yaml"), []byte(`services: {web: {image: "${DB_PASSWORD:?set it}"}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("err is nil, want an error")
			}
			if got := cmd.ProcessState.ExitCode(); got != 1 {
				t.Fatalf("cmd.ProcessState.ExitCode() = %d, want 1", got)
			}
			if !strings.Contains(string(out), test.says) {
				t.Fatalf("string(out) = %q, want it to contain %q", string(out), test.says)
			}
			if strings.Contains(string(out), token) {
				t.Fatalf("string(out) = %q, want it not to contain %q", string(out), token)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "program"), "-help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "acme/app:^1.4=web") {
		t.Fatalf("string(out) = %q, want it to contain \"acme/app:^1.4=web\"", string(out))
	}
}

func TestRegistryCredentials(t *testing.T) {
	t.Parallel()
	config := `{"auths": {"REGISTRY": {"auth": "aG91c2U6aG9vaw=="}}}` // house:hook
	for name, env := range map[string][]string{
		"from docker login":    nil,
		"from the environment": {"REGISTRY_USERNAME=house", "REGISTRY_PASSWORD=hook"},
		"wrong at first":       {"REGISTRY_USERNAME=house", "REGISTRY_PASSWORD=crook"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.startContainer("web", "latest")
			digest := h.pushImage("latest", app{health: "healthy"})
			images := h.registry.Config.Handler
			h.registry.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// The fake docker does not log in.
				if user, password, _ := r.BasicAuth(); r.Header.Get("User-Agent") != "Go-http-client/1.1" && (user != "house" || password != "hook") {
					w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				images.ServeHTTP(w, r)
			})
			if env == nil {
				text := strings.ReplaceAll(config, "REGISTRY", h.registryHost())
				if err := os.WriteFile(filepath.Join(h.dir, "config.json"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			h.env = append(h.env, env...)
			h.start()
			h.deliverPush("latest", 6)
			if name == "wrong at first" {
				h.waitForMetric(`hookhouse_attempt_seconds_count{state="waiting",type="dockerhub.push"}`, 1)
				if got := h.logText(); strings.Contains(got, "crook") {
					t.Fatalf("h.logText() = %q, want it not to contain \"crook\"", got)
				}
				if got := h.terminate(); got != 0 {
					t.Fatalf("h.terminate() = %d, want 0", got)
				}
				h.env = append(h.env, "REGISTRY_PASSWORD=hook")
				h.start()
			}
			h.waitForMetric(deployed, 1)
			h.requireOnly("web", "latest", digest)
		})
	}
}

func TestAttemptTimeoutCoversAllSteps(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{"-watch=acme/app:latest=web", "-health-timeout=20m", "-command-timeout=40m"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	// An attempt may wait for a container of an earlier attempt and for the new one.
	if got := o.attemptTimeout(); got <= 40*time.Minute+2*20*time.Minute {
		t.Fatalf("o.attemptTimeout() = %v, want more than %v", got, 40*time.Minute+2*20*time.Minute)
	}
	if got := o.recoverTimeout(); got <= 20*time.Minute {
		t.Fatalf("o.recoverTimeout() = %v, want more than %v", got, 20*time.Minute)
	}
}

func TestImageDoesNotContainSecrets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Secrets map[string]struct{ File string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Secrets) == 0 {
		t.Fatalf("file.Secrets = %v, want not empty", file.Secrets)
	}
	text, err = os.ReadFile(".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range file.Secrets {
		folder, _, _ := strings.Cut(secret.File, "/")
		if got := strings.Fields(string(text)); !slices.Contains(got, folder) {
			t.Fatalf("strings.Fields(string(text)) = %v, want it to contain %q", got, folder)
		}
	}
}
