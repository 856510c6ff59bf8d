package rules

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxExposure is what systemd-analyze may rate a unit at, in tenths.
const maxExposure = 30

// analyzer returns the path of systemd-analyze, or "" if it is not installed here. In CI
// it must be.
func analyzer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		fmt.Println("left out: the checks of the systemd units, for want of systemd-analyze; get it: apt-get install systemd")
	}
	return ""
}

func TestUnitsOfExamplesAreConfined(t *testing.T) {
	systemd := analyzer(t)
	if systemd == "" {
		return
	}
	units, err := filepath.Glob(filepath.Join(top(t), "examples", "*", "*.service"))
	if err != nil || len(units) < 4 {
		t.Fatalf("%v: found the units %q", err, units)
	}
	for _, unit := range units {
		name := filepath.Base(filepath.Dir(unit)) + "/" + filepath.Base(unit)
		for _, fault := range unitFaults(t, systemd, readFile(t, unit)) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// unitFaults returns what systemd-analyze finds wrong with a unit, and a rating above
// maxExposure.
func unitFaults(t *testing.T, systemd, text string) (faults []string) {
	t.Helper()
	// The program is not installed here; any other one stands in for it.
	file := filepath.Join(t.TempDir(), "checked.service")
	writeFile(t, file, regexp.MustCompile(`/usr/local/bin/[a-z-]+`).ReplaceAllString(text, systemd))
	if out, err := exec.CommandContext(t.Context(), systemd, "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		faults = append(faults, fmt.Sprintf("verify: %s%v", out, err))
	}
	out, err := exec.CommandContext(t.Context(), systemd, "security", "--no-pager", "--offline=yes", "--threshold="+strconv.Itoa(maxExposure), file).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		faults = append(faults, fmt.Sprintf("security, with the threshold %d: %s", maxExposure, lines[len(lines)-1]))
	}
	return faults
}

func TestFaultsOfAUnitAreFound(t *testing.T) {
	systemd := analyzer(t)
	if systemd == "" {
		return
	}
	unit := readFile(t, filepath.Join(top(t), "examples", "jobserv-ci", "jobserv-ci.service"))
	for what, text := range map[string]string{
		"a misspelt line":  strings.Replace(unit, "UMask=", "Umaks=", 1),
		"no program":       strings.Replace(unit, "/usr/local/bin/jobserv-ci", "/usr/local/lib/jobserv-ci", 1),
		"few restrictions": regexp.MustCompile(`(?m)^(Protect|Restrict|SystemCall|Capability).*\n`).ReplaceAllString(unit, ""),
	} {
		if text == unit || len(unitFaults(t, systemd, text)) != 1 {
			t.Errorf("%s: %q, want one fault", what, unitFaults(t, systemd, text))
		}
	}
}
