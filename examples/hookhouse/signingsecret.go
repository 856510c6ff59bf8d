package main

import (
	"os"

	"github.com/hookhouse/hookhouse/webhook"
)

// senderSecret returns the secret to send with: the first one of file, which
// -secret-file names, or of the variable. While a secret is rotated there are two, and
// a receiver accepts both. It is zero if there is none.
func senderSecret(variable, file string) (secret webhook.Secret, err error) {
	var lines []string
	if file != "" {
		lines, err = fileLines(file)
	} else {
		lines, err = secretLines(os.Getenv, variable)
	}
	switch {
	case err != nil && file != "":
		return secret, usagef("-secret-file: %v", err)
	case err != nil:
		return secret, usagef("%v", err)
	case len(lines) == 0:
		return secret, nil
	}
	return webhook.NewSecret(lines[0]), nil
}
