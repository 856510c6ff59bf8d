package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The proxy forwards the pages and the inspector. Health, metrics and the program itself are
// not public.
func TestComposeProxyForwardsThePages(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Ports       []string
			Environment map[string]string
			Configs     []struct{ Source, Target string }
		}
		Configs map[string]struct{ Content string }
		Secrets map[string]struct{ File string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if ports := file.Services["guestbook"].Ports; len(ports) > 0 {
		t.Errorf("the program itself is reachable at %s", ports)
	}
	for _, name := range []string{passwordName, sealKeyName, inspectName} {
		path := file.Services["guestbook"].Environment[name+"_FILE"]
		if _, ok := file.Secrets[filepath.Base(path)]; !ok || filepath.Dir(path) != "/run/secrets" {
			t.Errorf("%s_FILE is %q, which no secret of the file is", name, path)
		}
	}
	proxy := file.Services["proxy"]
	if len(proxy.Configs) != 1 || proxy.Configs[0].Target != "/etc/caddy/Caddyfile" {
		t.Fatalf("the proxy does not use the Caddyfile: %+v", proxy)
	}
	got := strings.Join(strings.Fields(file.Configs[proxy.Configs[0].Source].Content), " ")
	if want := "guestbook.example.com reverse_proxy /inspect/* guestbook:8081 reverse_proxy guestbook:8080"; got != want {
		t.Errorf("the Caddyfile is %q, want %q", got, want)
	}
}

// The program accepts the flags and finds the secrets as the unit and the image name them.
func TestUnitAndImageStartTheProgram(t *testing.T) {
	unit, err := os.ReadFile("guestbook.service")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"password": secret, "seal-key": strings.Repeat("k", minSealKey)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var env, flags []string
	for line := range strings.Lines(string(unit)) {
		line = strings.TrimSpace(line)
		if pair, ok := strings.CutPrefix(line, "Environment="); ok {
			env = append(env, strings.ReplaceAll(pair, "%d", dir))
		}
		if command, ok := strings.CutPrefix(line, "ExecStart=/usr/local/bin/guestbook "); ok {
			flags = strings.Fields(strings.ReplaceAll(command, "${STATE_DIRECTORY}", dir))
		}
	}
	image, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, entry, _ := strings.Cut(string(image), "ENTRYPOINT [")
	entry = strings.NewReplacer(`"/guestbook", `, "", `"`, "", ",", "", "]", "", "/data/", dir+"/").Replace(entry)
	for name, args := range map[string][]string{"unit": flags, "image": strings.Fields(entry)} {
		if name == "image" { // compose.yaml sets it
			env = append(env, inspectName+"="+secret)
		}
		out, err := execute(t, dir, env, append(args, "-check")...)
		if err != nil || len(args) < 4 || !strings.Contains(out, "name="+passwordName+" live=1") || !strings.Contains(out, "name="+sealKeyName+" live=1") {
			t.Errorf("%s: %q: %v: %s", name, args, err, out)
		}
	}
}

// A key that does not open what is stored is found before the start.
func TestCheckFindsAMissingSealKey(t *testing.T) {
	dir := t.TempDir()
	env := func(key string) []string {
		return []string{secretName + "=" + secret, sealKeyName + "=" + strings.Repeat(key, minSealKey)}
	}
	p := start(t, dir, env("a")...)
	g := &rig{url: p.url}
	g.add(t, "https://93.184.215.14/hook")
	p.stop(t, syscall.SIGTERM)
	if out, err := execute(t, dir, env("a"), "-check"); err != nil || !strings.Contains(out, "are fine") {
		t.Errorf("with its key: %v: %s", err, out)
	}
	out, err := execute(t, dir, env("b"), "-check")
	if err == nil || !strings.Contains(out, sealKeyName+": ") || strings.Contains(out, "bbbb") {
		t.Errorf("with another key: %v: %s", err, out)
	}
}

func TestWorkerNamesTheFlagOfAnInvalidAddress(t *testing.T) {
	if out, err := execute(t, t.TempDir(), nil, "-worker", "-admin-addr", "nowhere"); err == nil || !strings.Contains(out, "-admin-addr: ") {
		t.Errorf("%v: %s", err, out)
	}
}
