package main

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The proxy forwards the hooks and the inspector, which have secrets of their own, and
// everything else only with a password. Nothing reaches the program past it.
func TestComposeProxyAsksForAPassword(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Ports       []string
			Environment any // a map or a list
			Configs     []struct{ Source, Target string }
		}
		Configs map[string]struct{ Content string }
		Secrets map[string]struct{ File string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if ports := file.Services["github-ci"].Ports; len(ports) > 0 {
		t.Errorf("the program itself is reachable at %s", ports)
	}
	env, _ := file.Services["github-ci"].Environment.(map[string]any)
	if path, _ := env[inspectName+"_FILE"].(string); path != "/run/secrets/inspector-password" || file.Secrets["inspector-password"].File == "" {
		t.Errorf("the inspector has no password: %q, %+v", env, file.Secrets)
	}
	proxy := file.Services["proxy"]
	if len(proxy.Configs) != 1 || proxy.Configs[0].Target != "/etc/caddy/Caddyfile" {
		t.Fatalf("the proxy does not use the Caddyfile: %+v", proxy)
	}
	got := strings.Join(strings.Fields(file.Configs[proxy.Configs[0].Source].Content), " ")
	want := "ci.example.com { handle /hooks/* { reverse_proxy github-ci:8080 } handle /inspect/* { reverse_proxy github-ci:8081 } handle { basic_auth { ops {$$PAGES_PASSWORD_HASH} } reverse_proxy github-ci:8081 } }"
	if got != want {
		t.Errorf("the Caddyfile is %q, want %q", got, want)
	}
}

// The unit and the image give -as the capabilities that the tests run with, and no others.
func TestDeploymentsGiveFourCapabilities(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"github-ci.service": "\nCapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_SETGID CAP_SETUID\n",
		"compose.yaml":      "cap_drop: [ALL]\n    cap_add: [CHOWN, KILL, SETGID, SETUID]\n",
	} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, want it to contain %q", name, err, want)
		}
	}
}

// Docker publishes the ports that an image exposes with -P, and the pages ask for no password.
func TestImageExposesTheHooksAlone(t *testing.T) {
	t.Parallel()
	image, err := os.ReadFile("Dockerfile")
	if err != nil || strings.Count(string(image), "\nEXPOSE ") != 1 || !strings.Contains(string(image), "\nEXPOSE 8080\n") {
		t.Errorf("%v, want EXPOSE 8080 alone:\n%s", err, image)
	}
}
