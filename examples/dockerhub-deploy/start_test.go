package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestABadStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	good := write("good.txt", "# all of them\n\nacme/app:^1=web\n")
	bad := write("bad.txt", "acme/app:^1=web\nacme/app:^^2=other\n")
	bare := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bare, "faults.json"),
		[]byte(`[{"Command": "compose version", "When": "before", "Do": "unknown command: docker compose"}]`), 0o600))
	blank := write("token", "\n")
	hook := []string{"DOCKERHUB_WEBHOOK_TOKEN=" + token}
	tests := map[string]struct {
		args []string
		env  []string
		says string
	}{
		"an unknown flag":               {[]string{"-wath=x"}, hook, "flag provided but not defined: -wath"},
		"an argument":                   {[]string{"-rules", good, "web"}, hook, `takes only flags, not "web"`},
		"no rule":                       {nil, hook, "nothing to watch"},
		"a bad rule":                    {[]string{"-watch", "acme/app:^^1=web"}, hook, `rule "acme/app:^^1=web": "^^1" is not a range of versions`},
		"a bad rule in a file":          {[]string{"-rules", bad}, hook, bad + `:2: rule "acme/app:^^2=other": "^^2" is not a range`},
		"no file of rules":              {[]string{"-rules", "missing.txt"}, hook, "missing.txt: no such file"},
		"two rules for a container":     {[]string{"-rules", good, "-watch", "acme/b:latest=web"}, hook, `rule "acme/b:latest=web": web has a rule already: "acme/app:^1=web"`},
		"no token":                      {[]string{"-rules", good}, nil, "DOCKERHUB_WEBHOOK_TOKEN is not set"},
		"two sources of the token":      {[]string{"-rules", good}, append(hook, "DOCKERHUB_WEBHOOK_TOKEN_FILE=x"), "both DOCKERHUB_WEBHOOK_TOKEN and"},
		"no file of the token":          {[]string{"-rules", good}, []string{"DOCKERHUB_WEBHOOK_TOKEN_FILE=missing"}, "missing: no such file"},
		"an empty file of the token":    {[]string{"-rules", good}, []string{"DOCKERHUB_WEBHOOK_TOKEN_FILE=" + blank}, "holds an empty token"},
		"a token that no URL holds":     {[]string{"-rules", good}, []string{"DOCKERHUB_WEBHOOK_TOKEN=a/b"}, "that a URL cannot hold"},
		"half a login of the registry":  {[]string{"-rules", good}, append(hook, "REGISTRY_USERNAME=x"), "only one of REGISTRY_USERNAME and REGISTRY_PASSWORD"},
		"a registry that is no host":    {[]string{"-rules", good, "-registry", "http://x/"}, hook, "-registry: "},
		"two ways to deploy":            {[]string{"-rules", good, "-exec", "true", "-compose", "compose.yaml"}, hook, "-compose and -exec exclude each other"},
		"no program to run":             {[]string{"-rules", good, "-exec", "./deploy.sh"}, hook, "-exec: "},
		"a variable that is not set":    {[]string{"-rules", good, "-env", "DB_PASSWORD"}, hook, "-env DB_PASSWORD: there is no such variable"},
		"no Compose file":               {[]string{"-rules", good, "-compose", "missing.yaml"}, hook, "missing.yaml: no such file"},
		"no second Compose file":        {[]string{"-rules", good, "-compose", "compose.yaml", "-compose", "missing.yaml"}, hook, "missing.yaml: no such file"},
		"a docker without compose":      {[]string{"-rules", good, "-compose", "compose.yaml"}, append(hook, "DOCKER_STANDIN="+bare), "-compose: docker compose is needed, a plugin of the docker program: docker compose version: exit status 1"},
		"a bad Compose file":            {[]string{"-rules", good, "-compose", "bad.yaml"}, append(hook, "DOCKER_STANDIN="+dir), "required variable DB_PASSWORD is missing a value: set it"},
		"no docker program":             {[]string{"-rules", good}, append(hook, "PATH=/nowhere"), "the docker program is needed"},
		"a database that cannot be had": {[]string{"-rules", good, "-db", "/nowhere/x.db"}, hook, "-db: "},
		"an address that is taken":      {[]string{"-rules", good, "-addr", "256.0.0.1:1"}, hook, "listen tcp"},
		"no time for a pull":            {[]string{"-rules", good, "-deploy-within", "0s"}, hook, "-deploy-within must be positive"},
		"no time to be quiet":           {[]string{"-rules", good, "-quiet", "0s"}, hook, "-quiet, -healthy-within, -steady and -deploy-within must be positive"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "program"), test.args...)
			cmd.Dir, cmd.Env = t.TempDir(), append([]string{"PATH=" + bin}, test.env...)
			require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "compose.yaml"), []byte("services: {}"), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "bad.yaml"), []byte(`services: {web: {image: "${DB_PASSWORD:?set it}"}}`), 0o600))
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			require.Equal(t, 1, cmd.ProcessState.ExitCode())
			require.Contains(t, string(out), test.says)
			require.NotContains(t, string(out), token)
		})
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "program"), "-help").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "acme/app:^1.4=web")
}

func TestTheRegistryIsAskedWithCredentials(t *testing.T) {
	t.Parallel()
	config := `{"auths": {"REGISTRY": {"auth": "aG91c2U6aG9vaw=="}}}` // house:hook
	for name, env := range map[string][]string{
		"of docker login":         nil,
		"of the environment":      {"REGISTRY_USERNAME=house", "REGISTRY_PASSWORD=hook"},
		"that are wrong at first": {"REGISTRY_USERNAME=house", "REGISTRY_PASSWORD=crook"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.running("web", "latest")
			digest := h.push("latest", app{health: "healthy"})
			images := h.registry.Config.Handler
			h.registry.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// The stand-in for docker does not log in.
				if user, password, _ := r.BasicAuth(); r.Header.Get("User-Agent") != "Go-http-client/1.1" && (user != "house" || password != "hook") {
					w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				images.ServeHTTP(w, r)
			})
			if env == nil {
				text := strings.ReplaceAll(config, "REGISTRY", h.registryHost())
				require.NoError(t, os.WriteFile(filepath.Join(h.dir, "config.json"), []byte(text), 0o600))
			}
			h.env = append(h.env, env...)
			h.start()
			h.hub("latest", 6)
			if name == "that are wrong at first" {
				h.waitFor(`hookhouse_attempt_seconds_count{state="waiting",type="dockerhub.push"}`, 1)
				require.NotContains(t, h.logged(), "crook")
				require.Zero(t, h.terminate())
				h.env = append(h.env, "REGISTRY_PASSWORD=hook")
				h.start()
			}
			h.waitFor(deployed, 1)
			h.requireOnly("web", "latest", digest)
		})
	}
}

func TestTheTimeOfAnAttemptHoldsAllThatTheFlagsAllow(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{"-watch=acme/app:latest=web", "-healthy-within=20m", "-deploy-within=40m"}, io.Discard)
	require.NoError(t, err)
	// It waits for the new container, and may have waited for one that was left.
	require.Greater(t, o.longest(), 40*time.Minute+2*20*time.Minute)
	require.Greater(t, o.settling(), 20*time.Minute)
}

func TestTheSecretsOfTheComposeFileAreNotBuiltIntoTheImage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	var file struct {
		Secrets map[string]struct{ File string }
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.NotEmpty(t, file.Secrets)
	text, err = os.ReadFile(".dockerignore")
	require.NoError(t, err)
	for _, secret := range file.Secrets {
		folder, _, _ := strings.Cut(secret.File, "/")
		require.Contains(t, strings.Fields(string(text)), folder)
	}
}
