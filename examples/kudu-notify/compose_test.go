package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestComposeProxyForwardsOnlyHooks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Ports       []string
			Command     any
			Environment map[string]string
			Configs     []struct{ Source, Target string }
		}
		Configs map[string]struct{ Content string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	program := file.Services["kudu-notify"]
	if !slices.Equal(program.Ports, []string{"127.0.0.1:8081:8081"}) || program.Environment["INSPECTOR_PASSWORD_FILE"] == "" {
		t.Errorf("want -admin-addr alone, for this machine and with a password: %+v", program)
	}
	proxy := file.Services["proxy"]
	if proxy.Command != nil || len(proxy.Configs) != 1 || proxy.Configs[0].Target != "/etc/caddy/Caddyfile" {
		t.Fatalf("the proxy does not use the Caddyfile: %+v", proxy)
	}
	site := strings.Fields(file.Configs[proxy.Configs[0].Source].Content)
	if len(site) != 4 || site[1] != "reverse_proxy" || site[2] != "/hooks/*" || site[3] != "kudu-notify:8080" {
		t.Errorf("the Caddyfile is %q", site)
	}
	for _, event := range events {
		if !strings.HasPrefix(event.path, "/hooks/") {
			t.Errorf("the proxy does not forward %s", event.path)
		}
	}
}
