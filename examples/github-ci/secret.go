package main

import (
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// readSecret returns the one secret in the variable name, or in the file that name_FILE
// names: one that others have created, of any length. It returns the zero Secret if
// neither variable is set.
func readSecret(getenv func(string) string, name string) (webhook.Secret, error) {
	lines, err := secretLines(getenv, name)
	switch {
	case err != nil || len(lines) == 0:
		return webhook.Secret{}, err
	case len(lines) > 1:
		return webhook.Secret{}, fmt.Errorf("%s has %d lines, want one secret", name, len(lines))
	}
	return webhook.NewSecret(lines[0]), nil
}
