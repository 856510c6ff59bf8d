// Package grants reads from the documentation of sqlinbox the rights that a program needs on
// its tables, so that tests run with exactly these.
package grants

import (
	"fmt"
	"os"
	"strings"
)

// Read returns the GRANT statements in the file doc.go of sqlinbox, for a role and the schema
// that holds the tables.
func Read(file, schema, role string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	names := strings.NewReplacer("SCHEMA hooks ", "SCHEMA "+schema+" ", "hooks.hookhouse_", schema+".hookhouse_", "hooks_service", role)
	var found []string
	for line := range strings.Lines(string(text)) {
		if grant, ok := strings.CutPrefix(line, "//\tGRANT "); ok {
			found = append(found, names.Replace("GRANT "+strings.TrimSpace(grant)))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no GRANT", file)
	}
	return found, nil
}
