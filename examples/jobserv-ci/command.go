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

// queue stores the command of a build as a delivery of its own, with the ordering
// key of the project. Its UID makes a second one a duplicate.
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

// A command runs the program of -exec.
type command struct {
	args    []string
	env     []string
	timeout time.Duration
	output  io.Writer
	// isLate reports whether the command of a newer build of the project has ended.
	isLate func(context.Context, *webhook.Delivery) (bool, error)
}

// inheritedEnv lists the variables that a command inherits from this program. Others
// may hold secrets.
var inheritedEnv = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"}

// newCommand returns the command of -exec, or nil if there is none. The command's
// output goes to output, because standard output is for results.
func newCommand(s settings, getenv func(string) string, output io.Writer) (*command, error) {
	if s.exec == "" {
		return nil, nil
	}
	c := &command{args: strings.Fields(s.exec), timeout: s.execTimeout, output: output}
	if sign := strings.IndexAny(s.exec, "'\"`$|&;<>\n"); sign >= 0 {
		return nil, fmt.Errorf("-exec: %q has no meaning, because no shell runs the command; write a script that has it", s.exec[sign])
	}
	if len(c.args) == 0 {
		return nil, errors.New("-exec: no program")
	}
	if _, err := exec.LookPath(c.args[0]); err != nil {
		return nil, fmt.Errorf("-exec: %w", err)
	}
	for _, name := range inheritedEnv {
		if value := getenv(name); value != "" {
			c.env = append(c.env, name+"="+value)
		}
	}
	return c, nil
}

// run runs the command for one build. It returns an error if the exit status is
// not 0, and the worker retries it. No data of a build is passed as an argument,
// where it could be taken for an option.
func (c *command) run(ctx context.Context, e *webhook.Event[result]) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("timeout after %s", c.timeout))
	defer cancel()
	late, err := c.isLate(ctx, e.Delivery)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Env = append(environment(e.Payload, late), c.env...)
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(e.Body), '\n'))
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = 500 * time.Millisecond // less than the worker waits when it stops
	setProcessGroup(cmd)
	err = cmd.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // the command left a process running
		return nil
	case ctx.Err() != nil:
		killGroup(cmd)
		return fmt.Errorf("%s: %w", c.args[0], context.Cause(ctx))
	default:
		return fmt.Errorf("%s: %w", c.args[0], err)
	}
}

// environment returns the JOBSERV_* variables for the main fields of a result.
// Standard input has all of them.
func environment(r result, late bool) []string {
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
		"JOBSERV_LATE=" + strconv.FormatBool(late),
		"JOBSERV_FAILED_RUNS=" + truncate(strings.Join(failed, " ")),
	}
	for i := range env {
		env[i] = strings.ReplaceAll(env[i], "\x00", "") // not allowed in an environment
	}
	return env
}
