package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// lookupTimeout bounds the lookup of a host to forward to.
const lookupTimeout = 5 * time.Second

// A choice is an option of a form.
type choice struct {
	Value, Text string
	Chosen      bool
}

// A binForm is the form of a bin, as it is shown and as it was sent.
type binForm struct {
	Name, Sender, Status, Header, Body, Delay, Forward, Life string
	IsNew                                                    bool
}

func formOf(b bin) binForm {
	return binForm{
		Name: b.Name, Sender: b.Sender, Status: strconv.Itoa(b.Status), Header: b.headerText(), Body: b.Body,
		Delay: b.Delay.String(), Forward: b.Forward,
	}
}

// readForm returns the form that was sent.
func readForm(r *http.Request) binForm {
	field := func(name string) string {
		return strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n") // as a browser sends the line ends of a text
	}
	line := func(name string) string { return strings.TrimSpace(field(name)) }
	return binForm{
		Name: line("name"), Sender: line("sender"), Status: line("status"), Header: field("headers"), Body: field("body"),
		Delay: line("delay"), Forward: line("forward"), Life: line("life"), IsNew: line("new") != "",
	}
}

// Source is the source of the captures of the bin.
func (f binForm) Source() string { return (&bin{Name: f.Name, Sender: f.Sender}).source().Name }

// Senders and Lives are the options of the form.
func (f binForm) Senders() []choice {
	list := []choice{{"", "anybody", f.Sender == ""}}
	for _, name := range senderNames {
		list = append(list, choice{name, name, f.Sender == name})
	}
	return list
}

func (f binForm) Lives() (list []choice) {
	if !f.IsNew {
		list = append(list, choice{"", "as before", f.Life == ""})
	}
	for _, l := range lives {
		list = append(list, choice{l.value, l.text, f.Life == l.value})
	}
	return list
}

// A life is a choice of how long a bin is kept.
type life struct {
	value, text string
	time        time.Duration
}

var lives = []life{
	{"1h", "in an hour", time.Hour},
	{"24h", "in a day", 24 * time.Hour},
	{"168h", "in a week", 7 * 24 * time.Hour},
	{"720h", "in 30 days", longestLife},
}

// bin returns the bin that a form describes, and whose address of Forward may be called.
func (f binForm) bin(ctx context.Context, guard *addrguard.Guard) (b bin, err error) {
	b = bin{Name: f.Name, Sender: f.Sender, Body: f.Body, Forward: f.Forward}
	if b.Status, err = strconv.Atoi(f.Status); err != nil {
		return b, fmt.Errorf("status: %.64q is no number", f.Status)
	}
	if b.Delay, err = time.ParseDuration(f.Delay); err != nil {
		return b, fmt.Errorf("delay: %.64q is no time such as 0s, 1.5s or 300ms", f.Delay)
	}
	if b.Header, err = parseHeader(f.Header); err != nil {
		return b, err
	}
	if f.IsNew || f.Life != "" {
		chosen := slices.IndexFunc(lives, func(l life) bool { return l.value == f.Life })
		if chosen < 0 {
			return b, fmt.Errorf("expires: there is no choice %.64q", f.Life)
		}
		b.Expires = time.Now().Add(lives[chosen].time).UTC()
	}
	if err := b.validate(); err != nil || b.Forward == "" {
		return b, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if _, err := guard.URL(ctx, b.Forward); err != nil {
		if !guard.InsecureHTTP && (errors.Is(err, addrguard.ErrAddress) || strings.HasPrefix(b.Forward, "http://")) {
			err = fmt.Errorf("%w; -allow-private allows http and private addresses", err)
		}
		return b, fmt.Errorf("forward: %w", err)
	}
	return b, nil
}
