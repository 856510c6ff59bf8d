package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// queue stores the command of a build as a delivery of its own, under a name
// that makes a second one a duplicate, in the order of the project.
func queue(ctx context.Context, inbox webhook.Inbox, of *webhook.Delivery, r result) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	d := webhook.NewDelivery("jobserv-ci", r.EventType(), of.OrderingKey, body)
	d.UID = of.UID + ".exec"
	err = inbox.Put(ctx, d)
	if webhook.IsDuplicate(err) {
		return nil
	}
	return err
}

// A command is the program of -exec.
type command struct {
	args    []string
	env     []string
	timeout time.Duration
	output  io.Writer
}

// inherited is all that a command sees of this program's environment, which may
// hold what is none of its business.
var inherited = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"}

// newCommand returns nil where there is none to run. What it prints goes to
// output, since standard output is for results.
func newCommand(s settings, getenv func(string) string, output io.Writer) (*command, error) {
	if s.exec == "" {
		return nil, nil
	}
	c := &command{args: strings.Fields(s.exec), timeout: s.execTimeout, output: output}
	if len(c.args) == 0 {
		return nil, errors.New("-exec names no program")
	}
	if _, err := exec.LookPath(c.args[0]); err != nil {
		return nil, fmt.Errorf("-exec: %w", err)
	}
	for _, name := range inherited {
		if value := getenv(name); value != "" {
			c.env = append(c.env, name+"="+value)
		}
	}
	return c, nil
}

// run runs the command; other than zero is an error, after which the worker runs
// it again. Nothing of a build becomes an argument, where it could be taken for
// an option.
func (c *command) run(ctx context.Context, e *webhook.Event[result]) error {
	tooLong := fmt.Errorf("took longer than %s", c.timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, tooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Env = append(environment(e.Payload), c.env...)
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(e.Body), '\n'))
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = 500 * time.Millisecond // within what a worker that ends allows
	inGroup(cmd)
	err := cmd.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it left something running
		return nil
	case ctx.Err() != nil:
		killGroup(cmd)
		return fmt.Errorf("%s: %w", c.args[0], context.Cause(ctx))
	default:
		return fmt.Errorf("%s: %w", c.args[0], err)
	}
}

// environment tells the main things; standard input tells all.
func environment(r result) []string {
	var failed []string
	for _, run := range r.Runs {
		if run.Status == jobserv.Failed {
			failed = append(failed, run.Name)
		}
	}
	env := []string{
		"JOBSERV_PROJECT=" + r.Project,
		"JOBSERV_BUILD_ID=" + strconv.FormatInt(r.BuildID, 10),
		"JOBSERV_STATUS=" + string(r.Status),
		"JOBSERV_TRIGGER=" + r.Trigger,
		"JOBSERV_REASON=" + r.Reason,
		"JOBSERV_URL=" + r.URL,
		"JOBSERV_FAILED_RUNS=" + cut(strings.Join(failed, " ")),
	}
	for i := range env {
		env[i] = strings.ReplaceAll(env[i], "\x00", "") // no system takes it
	}
	return env
}
