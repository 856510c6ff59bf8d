package main

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// version returns the version that -version prints: that of the module, or the commit
// that the program was built from, and the version of Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if settings["vcs.modified"] == "true" {
		commit += " with changes"
	}
	return strings.Join(strings.Fields(cmp.Or(info.Main.Version, "(devel)")+" "+commit+" "+info.GoVersion), " ")
}
