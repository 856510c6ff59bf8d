package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The program accepts the flags and the environment of each service and of the image, and what
// others can reach is on this machine alone.
func TestComposeStartsEachPart(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Build       string
			Command     []string
			Ports       []string
			Environment map[string]string
			Secrets     []any
		}
		Secrets map[string]struct{ File string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, entry, _ := strings.Cut(string(image), "ENTRYPOINT [")
	entry = strings.NewReplacer(`"/edge", `, "", `"`, "", ",", "", "]", "", "/data/", "").Replace(entry)
	values := map[string]string{
		brokerName: nobody, databaseName: "postgres://hooks@127.0.0.1:1/hooks", inspectName: secret, "GITHUB_WEBHOOK_SECRET": secret,
	}
	var programs []string
	for name, service := range file.Services {
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: other machines can reach %s", name, port)
			}
		}
		if service.Build == "" {
			continue
		}
		programs = append(programs, name)
		var env []string
		for variable, path := range service.Environment {
			secretName, isFile := strings.CutSuffix(variable, "_FILE")
			if !isFile || filepath.Dir(path) != "/run/secrets" || file.Secrets[filepath.Base(path)].File == "" || !slices.Contains(service.Secrets, any(filepath.Base(path))) {
				t.Errorf("%s: %s is %q, which is no secret of the service", name, variable, path)
			}
			env = append(env, secretName+"="+values[secretName])
		}
		args := append(strings.Fields(entry), service.Command...)
		if name != "declare" {
			args = append(args, "-check")
		}
		// Nothing listens there, so this is the first fault if all else is as it must be.
		want := brokerName + ": "
		if name == "worker" {
			want = databaseName + ": "
		}
		if out, err := execute(t, env, args...); err == nil || !strings.Contains(out, "edge: "+want) {
			t.Errorf("%s: %q with %q: %v: %s", name, args, slices.Sorted(maps.Keys(service.Environment)), err, out)
		}
	}
	slices.Sort(programs)
	if want := []string{"declare", "edge", "relay", "worker"}; !slices.Equal(programs, want) {
		t.Errorf("the services of the program are %q, want %q", programs, want)
	}
}
