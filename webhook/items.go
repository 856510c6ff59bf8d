package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// Items says how to read a header that is a list of named items, such as that of
// Stripe, "t=1492774577,v1=5257a8...,v1=6ffbb5...,v0=6ffbb5...":
//
//	webhook.Items{Time: "t", Signature: "v1"}
//
// One signature that matches is enough. Items with other names, such as v0, never
// count. White space around an item is ignored. A header with more than 32 items, or
// with more than 16 signatures, is refused.
type Items struct {
	// Time is the name of the item with the value of {timestamp}, which the header must
	// have once. If empty, no item has it.
	Time string
	// Signature is the name of the items that are each a signature, with the Prefix of
	// the HMAC if there is one. Required unless Items is the zero value.
	Signature string
	// Separator is between items. If empty, it is ",".
	Separator string
}

const (
	maxItems = 32
	// maxSignatures is the maximum number of signatures in a header. A sender that
	// rotates its secret sends two.
	maxSignatures = 16
)

func (i Items) isZero() bool { return i == Items{} }

// validate refuses names that no item can have, and a separator that is part of one.
func (i Items) validate() error {
	switch {
	case i.isZero():
		return nil
	case i.Signature == "":
		return errors.New("Items.Signature is not set: no item would be a signature")
	case i.Signature == i.Time:
		return fmt.Errorf("Items.Time and Items.Signature are both %q", i.Time)
	case strings.ContainsFunc(i.separator(), isItemText) || strings.TrimSpace(i.separator()) == "":
		return fmt.Errorf("Items.Separator %q can be part of an item", i.Separator)
	}
	for _, name := range []string{i.Time, i.Signature} {
		if strings.ContainsAny(name, "= \t") || strings.Contains(name, i.separator()) {
			return fmt.Errorf("Items: no item can have the name %q", name)
		}
	}
	return nil
}

// isItemText reports whether the name of an item or an encoded signature can have c.
func isItemText(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("=+/-_", c)
}

func (i Items) separator() string { return cmp.Or(i.Separator, ",") }

// An item is "name=value".
type item struct{ name, value string }

// next returns the first item of text, and the text after it.
func (i Items) next(text string) (it item, rest string) {
	text, rest, _ = strings.Cut(text, i.separator())
	it.name, it.value, _ = strings.Cut(strings.Trim(text, " \t"), "=")
	return it, rest
}

// foundItems is what a header has.
type foundItems struct {
	time       string
	times      int
	signatures int
}

// count reads the whole header. It fails unless the header has the time once, if it is
// to have it, and a signature.
func (i Items) count(header, text string) (f foundItems, err error) {
	n := 0
	for rest := text; rest != ""; n++ {
		if n == maxItems {
			return f, fmt.Errorf("%w: %s has more than %d items", ErrUnverified, header, maxItems)
		}
		var it item
		it, rest = i.next(rest)
		switch it.name {
		case i.Signature:
			f.signatures++
		case i.Time:
			f.time = it.value
			f.times++
		}
	}
	switch {
	case f.signatures == 0:
		return f, fmt.Errorf("%w: %s has no item %s", ErrUnverified, header, i.Signature)
	case f.signatures > maxSignatures:
		return f, fmt.Errorf("%w: %s has %d items %s, more than %d", ErrUnverified, header, f.signatures, i.Signature, maxSignatures)
	case i.Time != "" && f.times != 1:
		return f, fmt.Errorf("%w: %s has %d items %s, not one", ErrUnverified, header, f.times, i.Time)
	}
	return f, nil
}

// join returns the header of one signature. Without Items it is the signature.
func (i Items) join(timestamp, signature string) string {
	switch {
	case i.isZero():
		return signature
	case i.Time == "":
		return i.Signature + "=" + signature
	}
	return i.Time + "=" + timestamp + i.separator() + i.Signature + "=" + signature
}
