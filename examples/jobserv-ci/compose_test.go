package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestComposeTunnelForwardsOnlyTheHook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	var file struct {
		Services map[string]struct {
			Ports, Command []string
			Configs        []struct{ Source, Target string }
		}
		Configs map[string]struct{ Content string }
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Empty(t, file.Services["jobserv-ci"].Ports)
	ngrok := file.Services["ngrok"]
	require.Len(t, ngrok.Configs, 1)
	require.Contains(t, ngrok.Command, "--traffic-policy-file="+ngrok.Configs[0].Target)

	var policy map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(file.Configs[ngrok.Configs[0].Source].Content), &policy))
	require.Equal(t, map[string]any{"on_http_request": []any{map[string]any{
		"expressions": []any{"req.url.path != '/webhook'"},
		"actions":     []any{map[string]any{"type": "deny", "config": map[string]any{"status_code": 404}}},
	}}}, policy)
}
