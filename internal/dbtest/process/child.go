// Package process runs the test program a second time, as a process that the
// test can stop or kill.
package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// variable holds the configuration of a child in its environment.
	variable = "HOOKHOUSE_TEST_PROCESS"
	// ready begins the line that says where a child listens.
	ready = "listening "
)

// Main is for the beginning of TestMain. It returns at once unless [Start]
// started this process. Then it calls run with the configuration that Start was
// given, and exits. ctx ends when standard input does: when the parent calls
// [Process.Stop], or has ended itself.
func Main[C any](run func(ctx context.Context, config C) error) {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var config C
	err := json.Unmarshal([]byte(text), &config)
	if err == nil {
		err = run(ctx, config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Ready lets Start return in the parent. The address is where the child listens,
// if it does.
func Ready(address string) { Print(ready + address) }

// Print writes one line to the parent, unbuffered: the line arrives even if the
// process is killed right after.
func Print(words ...string) { _, _ = os.Stdout.WriteString(strings.Join(words, " ") + "\n") }
