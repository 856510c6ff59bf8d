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

// confirm counts the deliveries that match, prints the number, and asks. The error is
// errNothing if none matches.
func (p *printer) confirm(ctx context.Context, s *store, verb string, o options) (int, error) {
	kinds := make(map[kind]int)
	n := 0
	f := o.filter
	f.Limit = max(f.Limit, 0)
	for r, err := range s.All(ctx, f) {
		if err != nil {
			return 0, err
		}
		n++
		kinds[kind{r.State, r.Delivery.Type}]++
	}
	if n == 0 {
		return 0, errNothing
	}
	matching := "match"
	if n == 1 {
		matching = "matches"
	}
	p.note("%s %s: %s", deliveries(n), matching, kindsText(kinds))
	switch {
	case o.yes:
		return n, nil
	case !isTerminal(p.in) || !isTerminal(p.err):
		return 0, usagef("set -yes to %s %s: there is no terminal to ask on", verb, deliveries(n))
	}
	fmt.Fprintf(p.err, "%s %s? [y/N] ", verb, deliveries(n))
	answer, err := readAnswer(ctx, p.in)
	if err != nil {
		return 0, err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return 0, errDeclined
	}
	return n, nil
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
		parts = append(parts, fmt.Sprintf("%d %s %s", kinds[k], k.state, clean(k.typ)))
	}
	return strings.Join(parts, ", ")
}
