package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

var showCommand = &command{
	name:     "show",
	operands: "UID",
	short:    "show one delivery, with its headers, replays and failed attempts",
	long: `Prints everything about a delivery except its body. With -body it prints the body and nothing else, byte for byte; on a
terminal, bytes that are not text are escaped. Headers that prove a call, such as signatures, are REDACTED.`,
	examples: []string{
		`hookhouse show -db hooks.db 019cadf4d7c80a4f6f4c2b8d1e3a5b7c`,
		`hookhouse show -db hooks.db -body 019cadf4d7c80a4f6f4c2b8d1e3a5b7c | jq .`,
	},
	flags: append([]flagDef{
		uidFlag,
		func(f *flag.FlagSet, o *options) {
			f.BoolVar(&o.onlyBody, "body", false, "print the body")
		},
	}, storeFlags...),
	take: oneUID,
	run:  show,
}

var attemptsCommand = &command{
	name:     "attempts",
	operands: "UID",
	short:    "list the failed and the lost attempts of a delivery, oldest first",
	long: `Prints when each attempt began, how long it took, what came of it and why. A lost attempt is one whose worker died or
whose lease ran out. The newest twenty are kept, and none of a run that succeeds.`,
	examples: []string{`hookhouse attempts -db hooks.db 019cadf4d7c80a4f6f4c2b8d1e3a5b7c`},
	flags:    append([]flagDef{uidFlag}, storeFlags...),
	take:     oneUID,
	run:      attempts,
}

func uidFlag(f *flag.FlagSet, o *options) {
	f.StringVar(&o.filter.UID, "uid", "", "the delivery with this `UID`")
}

// getRecord returns a delivery. If there is none, the error is errNothing.
func getRecord(ctx context.Context, s store, uid string) (webhook.Record, error) {
	r, err := s.Get(ctx, uid)
	if errors.Is(err, webhook.ErrNotFound) {
		return r, fmt.Errorf("%w: there is no delivery %s", errNothing, quoted(uid))
	}
	return r, err
}

func show(ctx context.Context, s store, o options, p *printer) error {
	r, err := getRecord(ctx, s, o.filter.UID)
	if err == nil && o.onlyBody && (r.Err == nil || !p.json) {
		r.Delivery.Body, err = s.Body(ctx, o.filter.UID)
	}
	switch {
	case err != nil:
		return err
	case p.json:
		return p.object(fullRecordOf(r, o.onlyBody))
	case o.onlyBody && isTerminal(p.out):
		_, err := fmt.Fprintln(p, cleanLines(string(r.Delivery.Body)))
		return err
	case o.onlyBody:
		_, err := p.Write(r.Delivery.Body)
		return err
	}
	_, err = fmt.Fprint(p, p.record(r))
	return err
}

// record returns a delivery as text.
func (p *printer) record(r webhook.Record) string {
	var b strings.Builder
	d := r.Delivery
	row := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(&b, "%-13s %s\n", name, value)
		}
	}
	row("uid", clean(d.UID))
	row("state", p.state(r.State, 0))
	row("reason", clean(r.Reason))
	row("source", clean(d.Source))
	row("type", clean(d.Type))
	row("ordering key", clean(d.OrderingKey))
	row("sender's id", clean(d.ID))
	row("key label", clean(d.KeyLabel))
	row("received", exactly(d.ReceivedAt, p.now))
	switch {
	case r.State == webhook.Claimed:
		row("lease ends", exactly(r.Expires, p.now))
	case !r.State.Final():
		row("due", exactly(r.Due, p.now))
	default:
		row("ended", exactly(r.Ended, p.now))
	}
	row("attempts", fmt.Sprint(r.Attempt))
	if r.Revived > 0 {
		row("redelivered", fmt.Sprintf("%d times after it was dead", r.Revived))
	}
	row("body", fmt.Sprintf("%d bytes; show -body prints it", r.Size))
	row("malformed", clean(d.Malformed))
	row("unsigned", clean(d.Unsigned))
	if r.Err != nil {
		row("damaged", clean(r.Err.Error()))
	}
	for _, k := range shownKeys(d.DedupKeys) {
		row("dedup key", clean(k))
	}
	header := shownHeader(d.Header)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		row("header", clean(name+": "+strings.Join(header[name], ", ")))
	}
	for _, re := range r.Replays {
		row("replayed", fmt.Sprintf("%s by %s, was %s%s", exactly(re.At, p.now), clean(re.By), clean(string(re.Was)), because(re.Why)))
	}
	for _, a := range r.Attempts {
		row("failed", p.attempt(a))
	}
	return b.String()
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + clean(why)
}

func attempts(ctx context.Context, s store, o options, p *printer) error {
	r, err := getRecord(ctx, s, o.filter.UID)
	if err != nil {
		return err
	}
	for _, a := range r.Attempts {
		if p.json {
			err = p.object(attemptOf(r.Delivery.UID, a))
		} else {
			_, err = fmt.Fprintln(p, p.attempt(a))
		}
		if err != nil {
			return err
		}
	}
	if len(r.Attempts) == 0 {
		return fmt.Errorf("%w: no attempt of %s has failed; it is %s", errNothing, clean(o.filter.UID), clean(string(r.State)))
	}
	return nil
}

// attempt returns an attempt as text.
func (p *printer) attempt(a webhook.Attempt) string {
	text := fmt.Sprintf("attempt %d, %s, took %s, then %s", a.Number, exactly(a.At, p.now), about(a.Took.Round(time.Millisecond)), p.state(a.State, 0))
	if a.By != "" {
		text += ", by " + clean(a.By)
	}
	if a.Lost {
		return text + ": lost"
	}
	return text + because(a.Reason)
}

// cleanLines is clean for a text of several lines.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(clean(strings.TrimSuffix(line, "\r")), `\t`, "\t")
	}
	return strings.Join(lines, "\n")
}
