package rules

import (
	"slices"
	"strings"
	"testing"
)

// providers are the rooms of the senders; none may know another.
var providers = []string{"dockerhub", "jobserv", "kudu", "github"}

func TestPublicPackagesNeedOnlyTheStandardLibraryAndSync(t *testing.T) {
	std := make(map[string]bool)
	for _, p := range packages(t, top(t), "-deps", "./...") {
		std[p.ImportPath] = p.Standard
	}
	for _, p := range public(t) {
		for _, dep := range p.Deps {
			ours := dep == module || strings.HasPrefix(dep, module+"/")
			if !std[dep] && !ours && !strings.HasPrefix(dep, "golang.org/x/sync/") {
				t.Errorf("%s links %s", p.ImportPath, dep)
			}
		}
	}
}

func TestArrowsRunOneWay(t *testing.T) {
	for _, p := range public(t) {
		from := room(p.ImportPath)
		for _, dep := range p.Imports {
			if !strings.HasPrefix(dep, module+"/") {
				continue
			}
			if to := room(dep); !mayImport(from, to) {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
}

// mayImport is the table of rooms.
func mayImport(from, to string) bool {
	switch {
	case slices.Contains(providers, from):
		return to == "webhook" || to == "webhook/wire" || to == "internal/scan"
	case from == "webhook", from == "webhook/wire":
		return false
	case from == "webhook/sqlinbox":
		return to == "webhook" || to == "internal/statement"
	case strings.HasPrefix(from, "webhook/"):
		return to == "webhook"
	case isStandIn(from):
		provider, _, _ := strings.Cut(from, "/")
		return to == provider || to == "webhook" || to == "webhook/webhooktest"
	default:
		return false
	}
}

// isStandIn tells the room of a stand-in for a provider's own API, for tests of
// those who call it: kudu/kudutest.
func isStandIn(room string) bool {
	provider, name, _ := strings.Cut(room, "/")
	return slices.Contains(providers, provider) && name == provider+"test"
}

func TestOnlyInboxtestLinksTesting(t *testing.T) {
	for _, p := range public(t) {
		if slices.Contains(p.Deps, "testing") && room(p.ImportPath) != "webhook/inboxtest" {
			t.Errorf("%s links testing into users' programs", p.ImportPath)
		}
	}
}

func TestExamplesUsePublicPackagesOnly(t *testing.T) {
	for _, p := range packages(t, top(t)+"/examples", "./...") {
		for _, dep := range p.Imports {
			if strings.HasPrefix(dep, module+"/internal/") || strings.HasPrefix(dep, module+"/examples/") {
				t.Errorf("%s imports %s and could not be copied out", p.ImportPath, dep)
			}
		}
	}
}
