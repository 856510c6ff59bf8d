package rules

import (
	"slices"
	"strings"
	"testing"
)

// isProvider reports whether a room is the package of a sender: every package at the
// top of the module is one, except webhook.
func isProvider(room string) bool {
	return room != "" && room != "webhook" && !strings.Contains(room, "/")
}

func TestPublicPackagesLinkOnlyTheStandardLibraryAndSync(t *testing.T) {
	std := make(map[string]bool)
	for _, p := range packages(t, top(t), "-deps", "./...") {
		std[p.ImportPath] = p.Standard
	}
	for _, p := range public(t) {
		for _, dep := range p.Deps {
			ours := dep == module || strings.HasPrefix(dep, module+"/")
			if !std[dep] && !ours && !strings.HasPrefix(dep, "golang.org/x/sync/") {
				t.Errorf("%s links %s; a public package may link only the standard library and golang.org/x/sync", p.ImportPath, dep)
			}
		}
	}
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range append(public(t), packages(t, top(t), "./internal/api", "./internal/catchup", "./internal/dotnet", "./internal/limit", "./internal/pyjson", "./internal/scan", "./internal/statement")...) {
		from := room(p.ImportPath)
		for _, dep := range p.Imports {
			if !strings.HasPrefix(dep, module+"/") {
				continue
			}
			if to := room(dep); !slices.Contains(mayImport(from), to) {
				t.Errorf("%s imports %s; of this module it may import %q, see mayImport", from, to, mayImport(from))
			}
		}
	}
}

// mayImport returns the packages of this module that a package may import. A sender
// may not import another.
func mayImport(from string) []string {
	switch {
	case isProvider(from):
		return []string{"webhook", "webhook/wire", "internal/api", "internal/catchup", "internal/pyjson", "internal/scan"}
	case from == "internal/catchup":
		return []string{"webhook"}
	case from == "webhook":
		return []string{"internal/limit"}
	case from == "webhook/wire", from == "webhook/addrguard", strings.HasPrefix(from, "internal/"):
		return nil
	case from == "webhook/sqlinbox":
		return []string{"webhook", "internal/limit", "internal/statement"}
	case from == "webhook/publish":
		return []string{"webhook", "webhook/addrguard", "internal/limit"}
	case from == "webhook/publish/sqlstore":
		return []string{"webhook", "webhook/publish", "webhook/sqlinbox", "internal/limit", "internal/statement"}
	case from == "webhook/publish/storetest":
		return []string{"webhook", "webhook/publish"}
	case from == "webhook/handshake":
		return []string{"webhook", "internal/scan"}
	case from == "webhook/inspect":
		return []string{"webhook", "webhook/addrguard", "webhook/webhooktest"}
	case strings.HasPrefix(from, "webhook/"):
		return []string{"webhook"}
	case isStandIn(from):
		provider, _, _ := strings.Cut(from, "/")
		return []string{provider, "webhook", "webhook/webhooktest", "internal/dotnet", "internal/pyjson"}
	case from == "kudu/kuduhooks":
		return []string{"kudu", "webhook", "webhook/publish", "internal/dotnet"}
	default:
		return nil
	}
}

// isStandIn reports whether a package imitates the API of a provider, for tests of
// programs that call it: for example kudu/kudutest.
func isStandIn(room string) bool {
	provider, name, _ := strings.Cut(room, "/")
	return isProvider(provider) && name == provider+"test"
}

// suites are the packages that are for tests only.
var suites = []string{"webhook/inboxtest", "webhook/publish/storetest"}

func TestOnlySuitesLinkTesting(t *testing.T) {
	for _, p := range public(t) {
		if slices.Contains(p.Deps, "testing") && !slices.Contains(suites, room(p.ImportPath)) {
			t.Errorf("%s links testing into programs that import it; only a _test.go file may import it", p.ImportPath)
		}
	}
}

// A program may have packages in its own folder, which is copied as a whole.
func TestExamplesUsePublicPackagesOnly(t *testing.T) {
	for _, p := range packages(t, top(t)+"/examples", "./...") {
		program, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module+"/examples/"), "/")
		for _, dep := range p.Imports {
			own := strings.HasPrefix(dep, module+"/examples/"+program+"/")
			if strings.HasPrefix(dep, module+"/internal/") || strings.HasPrefix(dep, module+"/examples/") && !own {
				t.Errorf("%s imports %s, so it does not build in another module", p.ImportPath, dep)
			}
		}
	}
}
