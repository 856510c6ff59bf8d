package main

import "context"

// A script deploys by a program of the user's own, which learns the facts from
// its environment. Exit status 0 means deployed, whatever it leaves running; any
// other is tried again, so the program must stand being run twice. What it deployed last is known from
// the ledger alone.
type script struct{ command }

// scriptEnvironment is what the program has beside the facts and -env.
var scriptEnvironment = []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"}

// recover does nothing: the program puts right what it left.
func (*script) recover(context.Context, string, bool) error { return nil }

func (s *script) replace(ctx context.Context, j job) (bool, error) {
	if j.last.digest == j.digest {
		return false, nil
	}
	c := s.command
	c.env = append(c.env[:len(c.env):len(c.env)],
		"HOOKHOUSE_TARGET="+j.rule.target,
		"HOOKHOUSE_RULE="+j.rule.text,
		"HOOKHOUSE_REPOSITORY="+j.repository,
		"HOOKHOUSE_TAG="+string(j.tag),
		"HOOKHOUSE_DIGEST="+j.digest,
		"HOOKHOUSE_IMAGE="+j.pinned(),
		"HOOKHOUSE_PREVIOUS_TAG="+string(j.last.deployed.tag),
		"HOOKHOUSE_PREVIOUS_DIGEST="+j.last.digest)
	_, err := c.run(ctx, "")
	return err == nil, err
}
