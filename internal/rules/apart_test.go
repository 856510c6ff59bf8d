package rules

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apartModules are the public packages that are modules of their own, since they depend on
// third parties, with what they may import of this repository.
var apartModules = map[string][]string{
	"webhook/prom":     {"webhook", "webhook/sqlinbox"},
	"webhook/otel":     {"webhook"},
	"webhook/rabbitmq": {"webhook"},
}

// mayImportApart are the modules that may import them, with what each may import.
// The internal ones are for tests and measurements alone. The programs of examples are copied, not imported,
// and serve metrics.
var mayImportApart = map[string][]string{
	"examples":          {"webhook/prom", "webhook/rabbitmq"},
	"internal/bench":    {"webhook/rabbitmq"},
	"internal/dashtest": {"webhook/otel", "webhook/prom"},
	"internal/edgetest": {"webhook/rabbitmq"},
}

// apart returns the packages of apartModules.
func apart(t *testing.T) (all []pkg) {
	t.Helper()
	for name := range apartModules {
		all = append(all, packages(t, filepath.Join(top(t), name), "./...")...)
	}
	return all
}

func TestModulesApartImportOnlyWhatTheyMay(t *testing.T) {
	all := apart(t)
	if len(all) != len(apartModules) {
		t.Errorf("%d packages in %d modules", len(all), len(apartModules))
	}
	for _, p := range all {
		for _, dep := range p.Imports {
			if strings.HasPrefix(dep, module+"/") && !slices.Contains(apartModules[room(p.ImportPath)], room(dep)) {
				t.Errorf("%s imports %s; of this repository it may import %q, see apartModules", room(p.ImportPath), room(dep), apartModules[room(p.ImportPath)])
			}
		}
	}
}

// Nothing that a user imports depends on a module apart, and no test of it does.
func TestNoOtherModuleImportsThoseApart(t *testing.T) {
	var modules []string
	err := filepath.WalkDir(top(t), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "go.mod" {
			name, _ := filepath.Rel(top(t), filepath.Dir(path))
			modules = append(modules, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 4+len(apartModules) {
		t.Fatalf("found only the modules %q", modules)
	}
	for _, name := range modules {
		gomod := readFile(t, filepath.Join(top(t), name, "go.mod"))
		for other := range apartModules {
			if other != name && !slices.Contains(mayImportApart[name], other) && strings.Contains(gomod, module+"/"+other) {
				t.Errorf("module %s requires %s; it may require %q, see mayImportApart", name, other, mayImportApart[name])
			}
		}
	}
}
