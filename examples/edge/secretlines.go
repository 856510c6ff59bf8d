package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecretFile is the largest size in bytes of a file of secrets.
const maxSecretFile = 64 << 10

// secretLines returns the lines of the variable name, or of the file that the variable
// name_FILE names, without surrounding white space and without empty lines. It returns
// none if neither variable is set, and an error if both are set, or if one that is set
// has only empty lines. Its errors contain no secret.
func secretLines(getenv func(string) string, name string) ([]string, error) {
	text, file := getenv(name), getenv(name+"_FILE")
	switch {
	case text != "" && file != "":
		return nil, fmt.Errorf("both %s and %s_FILE are set; set only one", name, name)
	case text == "" && file == "":
		return nil, nil
	case text != "":
		return nonEmptyLines(name, text)
	}
	lines, err := fileLines(file)
	if err != nil {
		return nil, fmt.Errorf("%s_FILE: %w", name, err)
	}
	return lines, nil
}

// fileLines returns the lines of a file as secretLines does.
func fileLines(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxSecretFile:
		return nil, errors.New(name + " has more than 64 KiB: it is not a file of secrets")
	}
	return nonEmptyLines(name, string(text))
}

func nonEmptyLines(name, text string) (lines []string, err error) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return lines, nil
}
