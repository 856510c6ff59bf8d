package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestInvalidStart(t *testing.T) {
	t.Parallel()
	rule := "-watch=acme/app:^1=exec:web"
	run := "-watch=acme/app:^1=run:web.options"
	hook := "DOCKERHUB_WEBHOOK_TOKEN=" + token
	for name, test := range map[string]struct {
		args []string
		env  string
		says string
	}{
		"an unknown flag":                    {[]string{"-wath=x"}, hook, "flag provided but not defined: -wath"},
		"an argument":                        {[]string{rule, "-exec=true", "web"}, hook, `unexpected argument "web"`},
		"no rule":                            {nil, hook, "no rule: "},
		"a rule of the old form":             {[]string{"-watch=acme/app:latest=web"}, hook, "no target: want REPOSITORY:TAGS=run:FILE, =service:NAME or =exec:NAME"},
		"a bad rule in a file":               {[]string{"-rules=bad.txt"}, hook, `bad.txt:2: rule "acme/app:^^2=exec:other": "^^2" is not a version range`},
		"a missing file of rules":            {[]string{"-rules=missing.txt"}, hook, "missing.txt: no such file"},
		"two rules for a target":             {[]string{rule, "-watch=acme/b:latest=exec:web"}, hook, "exec:web already has a rule"},
		"two files for a container":          {[]string{run, "-watch=acme/b:latest=run:same.options"}, hook, "web.options declares the container web, as "},
		"no token":                           {[]string{rule, "-exec=true"}, "", "DOCKERHUB_WEBHOOK_TOKEN is not set"},
		"a short token":                      {[]string{rule, "-exec=true"}, "DOCKERHUB_WEBHOOK_TOKEN=x", "fewer than 16 characters"},
		"a token that is invalid in a URL":   {[]string{rule, "-exec=true"}, "DOCKERHUB_WEBHOOK_TOKEN=0123456789abcdef/0", "characters that a URL cannot contain"},
		"a registry user without a password": {[]string{rule, "-exec=true"}, hook + "\nREGISTRY_USERNAME=x", "only one of REGISTRY_USERNAME and REGISTRY_PASSWORD"},
		"an invalid registry":                {[]string{rule, "-exec=true", "-registry=http://x/"}, hook, "-registry: "},
		"no program":                         {[]string{rule}, hook, "-exec is missing"},
		"a missing program":                  {[]string{rule, "-exec=./deploy.sh"}, hook, "-exec: "},
		"a variable that is not set":         {[]string{rule, "-env=DB_PASSWORD"}, hook, "-env DB_PASSWORD: the variable is not set"},
		"no Compose file":                    {[]string{"-watch=acme/app:^1=service:web"}, hook, "-compose is missing"},
		"a missing Compose file":             {[]string{"-watch=acme/app:^1=service:web", "-compose=missing.yaml"}, hook, "missing.yaml: no such file"},
		"a misspelt service":                 {[]string{"-watch=acme/app:^1=service:wbe", "-compose=compose.yaml"}, hook, `the Compose files have no service "wbe", but web`},
		"a missing file of options":          {[]string{"-watch=acme/app:^1=run:none.options"}, hook, "none.options: no such file"},
		"an unknown option":                  {[]string{"-watch=acme/app:^1=run:unknown.options"}, hook, `unknown.options:2: "--publsh" is not an option of docker create`},
		"an option without its value":        {[]string{"-watch=acme/app:^1=run:novalue.options"}, hook, `novalue.options:2: --publish has no value`},
		"an option of the program":           {[]string{"-watch=acme/app:^1=run:owned.options"}, hook, `owned.options:2: --rm cannot be set here`},
		"no name":                            {[]string{"-watch=acme/app:^1=run:noname.options"}, hook, "--name is missing"},
		"no docker program":                  {[]string{run}, hook + "\nPATH=/nowhere", "the docker program is required"},
		"a URL for notices that is none":     {[]string{rule, "-exec=true", "-notify=x"}, hook, "-notify: not an absolute http or https URL"},
		"a database in a missing folder":     {[]string{rule, "-exec=true", "-db=/nowhere/x.db"}, hook, "-db: "},
		"an invalid address":                 {[]string{rule, "-exec=true", "-addr=256.0.0.1:1"}, hook, "listen tcp"},
		"a zero quiet period":                {[]string{rule, "-quiet-period=0s"}, hook, "must be greater than 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &host{t: t, dir: t.TempDir()}
			h.write("bad.txt", "acme/app:^1=exec:web\nacme/app:^^2=exec:other\n")
			h.write("compose.yaml", "services: {web: {image: acme/app}}")
			for file, text := range map[string]string{"web": "--name web", "same": "--name web", "unknown": "--name web\n--publsh 80:80", "novalue": "--name web\n--publish",
				"owned": "--name web\n--rm", "noname": "--init\n-p 80:80"} {
				h.write(file+".options", text+"\n")
			}
			out, status := h.run(test.env, test.args...)
			if status != 1 || !strings.Contains(out, test.says) || strings.Contains(out, token) {
				t.Errorf("exit status %d, want 1, and an error that says %q:\n%s", status, test.says, out)
			}
		})
	}
}

// run runs the program to its end, with the variables of env, one on each line.
func (h *host) run(env string, args ...string) (string, int) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(bin, "program.plain"), args...)
	cmd.Dir, cmd.Env = h.dir, append([]string{"PATH=" + bin + ":/usr/bin:/bin", "DOCKER_FAKE_DIR=" + h.dir, "DOCKER_CONFIG=" + h.dir}, strings.Fields(env)...)
	out, err := cmd.CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		h.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestCheckListsEveryFault(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.push("latest", "healthy")
	env := "DOCKERHUB_WEBHOOK_TOKEN=" + token
	out, status := h.run(env, append(h.args, "-check")...)
	if status != 0 || !strings.Contains(out, "are fine") {
		t.Fatalf("exit status %d: %s", status, out)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "test.db")); err == nil || len(h.containers()) != 0 {
		t.Error("-check has made something")
	}
	h.inject(fault{"container ls", "before", "Cannot connect to the Docker daemon"})
	out, status = h.run(env, append(h.args, "-check", "-watch=acme/other:1=exec:x", "-exec=true", "-db=/nowhere/x.db")...)
	for _, fault := range []string{"the engine does not answer", `rule "acme/other:1=exec:x": registry has no such image`, "-db: "} {
		if status != 1 || !strings.Contains(out, fault) {
			t.Errorf("exit status %d, and no %q in %s", status, fault, out)
		}
	}
}

func TestVersionHelpAndPaths(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "latest", "", "-admin-addr=127.0.0.1:0")
	if out, status := h.run("", "-version"); status != 0 || !strings.HasPrefix(out, "dockerhub-deploy ") {
		t.Errorf("-version: %d %s", status, out)
	}
	if out, status := h.run("", "-help"); status != 0 || !strings.Contains(out, "acme/app:^1.4=exec:web") {
		t.Errorf("-help: %d %s", status, out)
	}
	h.start()
	for _, path := range []string{"/hooks/dockerhub/" + token + "/", "/metrics"} {
		res, err := http.Post(h.url+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, res.StatusCode)
		}
	}
	if !strings.Contains(h.logText(), `msg="nothing is served at this path" method=POST path=/hooks/dockerhub/...`) || strings.Contains(h.logText(), token) {
		t.Error("the log lacks the wrong path, or has the token")
	}
}

func TestRegistryCredentials(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{"from docker login": "", "from the environment": "REGISTRY_USERNAME=house\nREGISTRY_PASSWORD=hook"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newExecHost(t, "latest", "")
			h.push("latest", "")
			images := h.registry.Config.Handler
			h.registry.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if user, password, _ := r.BasicAuth(); user != "house" || password != "hook" {
					w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				images.ServeHTTP(w, r)
			})
			if env == "" {
				h.write("config.json", `{"auths": {"`+h.registryHost()+`": {"auth": "aG91c2U6aG9vaw=="}}}`) // house:hook
			}
			h.env = append(h.env, strings.Fields(env)...)
			h.start()
			h.result("exec:shop", "deployed", 1)
		})
	}
}
