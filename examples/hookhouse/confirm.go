package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// errDeclined means that the person did not say yes.
var errDeclined = errors.New("nothing was changed")

// A kind is what confirm counts by.
type kind struct {
	state webhook.State
	typ   string
}

// A matching is what confirm has counted.
type matching struct {
	count  int
	newest int64 // the highest Seq
}

// confirm counts the deliveries that match, prints the number, and asks. The error is
// errNothing if none matches.
func (p *printer) confirm(ctx context.Context, s store, verb string, o options) (matching, error) {
	kinds := make(map[kind]int)
	var m matching
	f := o.filter
	f.Limit = max(f.Limit, 0)
	for r, err := range s.All(ctx, f) {
		if err != nil {
			return matching{}, err
		}
		m.count++
		m.newest = max(m.newest, r.Seq)
		kinds[kind{r.State, r.Delivery.Type}]++
	}
	if m.count == 0 {
		return matching{}, errNothing
	}
	match := "match"
	if m.count == 1 {
		match = "matches"
	}
	p.note("%s %s: %s", deliveries(m.count), match, kindsText(kinds))
	switch {
	case o.yes:
		return m, nil
	case !isTerminal(p.in) || !isTerminal(p.err):
		return matching{}, usagef("set -yes to %s %s: there is no terminal to ask on", verb, deliveries(m.count))
	}
	fmt.Fprintf(p.err, "%s %s? [y/N] ", verb, deliveries(m.count))
	answer, err := readAnswer(ctx, p.in)
	if err != nil {
		return matching{}, err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return matching{}, errDeclined
	}
	return m, nil
}

// readAnswer reads a line, until ctx is done.
func readAnswer(ctx context.Context, in io.Reader) (string, error) {
	answers := make(chan string, 1)
	go func() { // ends with the program if nobody answers
		line, _ := bufio.NewReader(in).ReadString('\n') // at the end of input: no
		answers <- line
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		return "", errDeclined
	}
}

// shownKinds is how many kinds a question lists.
const shownKinds = 6

// kindsText lists what was counted, the largest numbers first.
func kindsText(kinds map[kind]int) string {
	sorted := slices.SortedFunc(maps.Keys(kinds), func(a, b kind) int {
		return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a.typ, b.typ), cmp.Compare(a.state, b.state))
	})
	var parts []string
	for i, k := range sorted {
		if i == shownKinds {
			parts = append(parts, "and others")
			break
		}
		parts = append(parts, fmt.Sprintf("%d %s %s", kinds[k], clean(string(k.state)), clean(k.typ)))
	}
	return strings.Join(parts, ", ")
}
