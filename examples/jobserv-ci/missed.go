package main

import (
	"errors"
	"flag"
	"time"
)

// missedFlags say when the program looks for what was sent while it did not receive.
type missedFlags struct {
	look  bool
	every time.Duration
}

// define defines the flags. Events are what is missed, such as "builds".
func (m *missedFlags) define(flags *flag.FlagSet, events string) {
	flags.BoolVar(&m.look, "catch-up", true, "look at the start for "+events+" that were missed since the program ran last")
	flags.DurationVar(&m.every, "catch-up-every", 0, "how often to look for missed "+events+" again, 1m or more; 0 means at the start and after a failure only")
}

func (m *missedFlags) check() error {
	if m.every != 0 && m.every < time.Minute {
		return errors.New("-catch-up-every must be 0s, or 1m or more")
	}
	return nil
}
