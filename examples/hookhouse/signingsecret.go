package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxSecretFile bounds what is read of a file with secrets.
const maxSecretFile = 64 << 10

// readLines returns the lines of the variable name, or of the file that name_FILE
// names, without white space around them and without empty ones. Neither need be set.
func readLines(name string) ([]string, error) {
	text, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case text != "" && file != "":
		return nil, usagef("both %s and %s_FILE are set; set only one", name, name)
	case file != "":
		lines, err := linesOf(file)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		return lines, nil
	}
	return splitLines(text), nil
}

func linesOf(file string) ([]string, error) {
	text, err := readLimited(file, maxSecretFile)
	if err != nil {
		return nil, err
	}
	lines := splitLines(string(text))
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty", quoted(file))
	}
	return lines, nil
}

func splitLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// senderSecret returns the secret to send with: the first one of -secret-file, or of
// the variable. While a secret is rotated there are two, and a receiver accepts both.
// It is zero if there is none.
func senderSecret(variable, file string) (webhook.Secret, error) {
	var lines []string
	var err error
	if file != "" {
		if lines, err = linesOf(file); err != nil {
			return webhook.Secret{}, fmt.Errorf("-secret-file: %w", err)
		}
	} else if lines, err = readLines(variable); err != nil {
		return webhook.Secret{}, err
	}
	if len(lines) == 0 {
		return webhook.Secret{}, nil
	}
	return webhook.NewSecret(lines[0]), nil
}
