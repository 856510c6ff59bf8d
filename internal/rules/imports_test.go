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
	for _, p := range append(public(t), packages(t, top(t), "./internal/api", "./internal/limit", "./internal/scan", "./internal/statement")...) {
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
		return []string{"webhook", "webhook/wire", "internal/api", "internal/scan"}
	case from == "webhook":
		return []string{"internal/limit"}
	case from == "webhook/wire", strings.HasPrefix(from, "internal/"):
		return nil
	case from == "webhook/sqlinbox":
		return []string{"webhook", "internal/limit", "internal/statement"}
	case from == "webhook/handshake":
		return []string{"webhook", "internal/scan"}
	case strings.HasPrefix(from, "webhook/"):
		return []string{"webhook"}
	case isStandIn(from):
		provider, _, _ := strings.Cut(from, "/")
		return []string{provider, "webhook", "webhook/webhooktest"}
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

func TestOnlyInboxtestLinksTesting(t *testing.T) {
	for _, p := range public(t) {
		if slices.Contains(p.Deps, "testing") && room(p.ImportPath) != "webhook/inboxtest" {
			t.Errorf("%s links testing into programs that import it; only a _test.go file may import it", p.ImportPath)
		}
	}
}

func TestExamplesUsePublicPackagesOnly(t *testing.T) {
	for _, p := range packages(t, top(t)+"/examples", "./...") {
		for _, dep := range p.Imports {
			if strings.HasPrefix(dep, module+"/internal/") || strings.HasPrefix(dep, module+"/examples/") {
				t.Errorf("%s imports %s, so it does not build in another module", p.ImportPath, dep)
			}
		}
	}
}
