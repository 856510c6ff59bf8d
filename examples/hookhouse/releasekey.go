package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

var releaseKeyCommand = &command{
	name:     "release-key",
	operands: "[KEY]",
	short:    "make the next delivery of an ordering key due now",
	long: `For an ordering key that waits as a whole, such as one that a program has postponed: the next delivery is due now, and the
others follow in their order. It takes no longer if the key blocks a million. If the next one is claimed, its claim is left as
it is, and the command fails: run it again when that run has ended. An inbox does not record who releases.`,
	examples: []string{
		`hookhouse release-key -db hooks.db -source github 'acme/app refs/heads/main'`,
		`hookhouse release-key -db hooks.db -source publish -key "$KEY" -json`,
	},
	flags: slices.Concat(storeFlags, []flagDef{func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.filter.Source, "source", "", "the `source` of the ordering key, such as github")
		f.StringVar(&o.filter.OrderingKey, "key", "", "the ordering `key`, which list prints")
	}, verboseFlag}),
	take: oneKey,
	ofDatabase: func(ctx context.Context, s *database, o options, p *printer) error {
		source, key := o.filter.Source, o.filter.OrderingKey
		switch err := s.ReleaseKey(ctx, source, key); {
		case errors.Is(err, webhook.ErrNotFound):
			return fmt.Errorf("%w: %s has no unfinished delivery with ordering key %s", errNothing, source, quoted(key))
		case err != nil:
			return err
		}
		return p.done(message{Did: "released", Source: source, Key: key}, "released the next delivery of %s", clean(key))
	},
}

// oneKey takes an ordering key as an operand, which is as good as -key, and its source.
func oneKey(o *options) error {
	switch {
	case len(o.args) > 1:
		return fmt.Errorf("unexpected argument %q: one ordering key at a time", o.args[1])
	case len(o.args) == 1 && o.filter.OrderingKey != "":
		return fmt.Errorf("an ordering key is given twice: %q and -key %q", o.args[0], o.filter.OrderingKey)
	case len(o.args) == 1:
		o.filter.OrderingKey = o.args[0]
	}
	switch {
	case o.filter.OrderingKey == "":
		return errors.New("needs an ordering key, which list prints")
	case o.filter.Source == "":
		return errors.New("needs -source, such as github: each source has ordering keys of its own")
	}
	return nil
}
