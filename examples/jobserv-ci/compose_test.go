package main

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestComposeTunnelForwardsOnlyTheHook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Ports, Command []string
			Environment    map[string]string
			Configs        []struct{ Source, Target string }
		}
		Configs map[string]struct{ Content string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	program := file.Services["jobserv-ci"]
	if !slices.Equal(program.Ports, []string{"127.0.0.1:8081:8081"}) || program.Environment["INSPECTOR_PASSWORD_FILE"] == "" {
		t.Fatalf("want -admin-addr alone, for this machine and with a password: %+v", program)
	}
	ngrok := file.Services["ngrok"]
	if len(ngrok.Configs) != 1 {
		t.Fatalf("len(ngrok.Configs) = %d, want 1: %v", len(ngrok.Configs), ngrok.Configs)
	}
	if !slices.Contains(ngrok.Command, "--traffic-policy-file="+ngrok.Configs[0].Target) {
		t.Fatalf("ngrok.Command = %v, want it to contain %q", ngrok.Command, "--traffic-policy-file="+ngrok.Configs[0].Target)
	}

	var policy map[string]any
	if err := yaml.Unmarshal([]byte(file.Configs[ngrok.Configs[0].Source].Content), &policy); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"on_http_request": []any{map[string]any{
		"expressions": []any{"req.url.path != '/webhook'"},
		"actions":     []any{map[string]any{"type": "deny", "config": map[string]any{"status_code": 404}}},
	}}}, policy); diff != "" {
		t.Fatalf("policy (-want +got):\n%s", diff)
	}
}
