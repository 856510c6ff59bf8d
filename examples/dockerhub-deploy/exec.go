package main

import "context"

// An execStrategy deploys by running the user's own program, with the details in
// its environment. Exit status 0 means deployed, whatever processes the program
// leaves running. After any other status it is retried, so running it twice must
// be safe. The stateStore alone records what it deployed last.
type execStrategy struct{ command }

// execEnvironment lists the variables that the program inherits in addition to
// those of -env.
var execEnvironment = []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"}

// recover does nothing: the program itself must recover.
func (*execStrategy) recover(context.Context, string, bool) error { return nil }

func (s *execStrategy) replace(ctx context.Context, j job) (bool, error) {
	if j.state.digest == j.digest {
		return false, nil
	}
	c := s.command
	c.env = append(c.env[:len(c.env):len(c.env)],
		"HOOKHOUSE_TARGET="+j.rule.target,
		"HOOKHOUSE_RULE="+j.rule.text,
		"HOOKHOUSE_REPOSITORY="+j.repository,
		"HOOKHOUSE_TAG="+string(j.tag),
		"HOOKHOUSE_DIGEST="+j.digest,
		"HOOKHOUSE_IMAGE="+j.pinnedImage(),
		"HOOKHOUSE_PREVIOUS_TAG="+string(j.state.deployed.tag),
		"HOOKHOUSE_PREVIOUS_DIGEST="+j.state.digest)
	_, err := c.run(ctx, "")
	return err == nil, err
}
