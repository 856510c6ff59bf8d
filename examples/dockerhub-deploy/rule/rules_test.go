package rule

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
)

func TestRulesOfAFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.txt")
	const text = "# comment\n\n  acme/app:^1=run:web.options \nacme/app:n-*=exec:web\nacme/b:latest=exec:web\nacme/c:1=exec:c\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rs := make(Rules)
	err := rs.AddFile(file)
	want := file + `:5: rule "acme/b:latest=exec:web": exec:web already has a rule: "acme/app:n-*=exec:web"`
	if e, ok := errors.AsType[*Error](err); !ok || e.Rule != "acme/b:latest=exec:web" || !errors.Is(err, ErrTaken) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if web := rs["run:web.options"]; len(rs) != 2 || web.Name != filepath.Join(dir, "web.options") || !web.IsRange() || !rs["exec:web"].IsGlob() {
		t.Errorf("the rules are %+v", rs)
	}
	if err := rs.AddFile(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Parse("acme/app:^^1=exec:c", ""); err == nil || !strings.HasPrefix(err.Error(), `rule "acme/app:^^1=exec:c": "^^1" is not`) {
		t.Errorf("error %v", err)
	}
}

func TestLeadingZero(t *testing.T) {
	for tag, want := range map[string]bool{"2026.02.0": true, "v1.04": true, "1.4.0": false, "10.0.20": false, "latest": false} {
		if got := LeadingZero(dockerhub.Tag(tag)); got != want {
			t.Errorf("%s: %v, want %v", tag, got, want)
		}
	}
}
