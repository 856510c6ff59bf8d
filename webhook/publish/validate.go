package publish

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// The limits of an [Endpoint], beside the length of its names. They keep the row of an
// endpoint small, since it is read for each request.
const (
	maxURL      = 2048
	maxEvents   = 100
	maxSecrets  = 16
	maxSecret   = 4 << 10 // of one, in bytes
	maxHeader   = 8 << 10 // of all names and values
	maxLanes    = 64
	maxAttempts = 1000
	maxMeta     = 16 << 10 // of all names and values
)

// earliest and latest are the times that every database stores in microseconds.
var (
	earliest = time.Unix(0, 0)
	latest   = time.UnixMicro(math.MaxInt64)
)

// Validate returns an error that wraps [ErrEndpoint] and names the field, its value and the
// fault, if no [Store] takes e. A Publisher has more rules, such as for its URL. These are
// the limits:
//
//   - ID, Owner, Name and Scheme have up to 255 bytes, and Description up to 4 KiB.
//     They are UTF-8 without NUL. The ID is not empty.
//   - URL is absolute, with a host, and has up to 2048 bytes.
//   - There are 1 to 100 Events. Each is a pattern in one of the forms of [Patterns], and is
//     there once.
//   - There are up to 16 Secrets, of 1 to 4096 bytes each. Their Until is zero or between the
//     years 1970 and 294246.
//   - Header can be sent by HTTP, and has up to 8 KiB of names and values.
//   - Rate is a number that is not negative; Lanes is at most 64, and MaxAttempts at most
//     1000.
//   - Meta has up to 16 KiB of names and values, which are UTF-8 without NUL.
//   - State is one of the States.
//   - Since and Created are between the years 1970 and 294246, and FailingSince is zero or
//     between them.
//   - Reason can be any bytes, since it comes from elsewhere.
func (e *Endpoint) Validate() error {
	for _, check := range []func() (field, fault string){e.namesFault, e.urlFault, e.eventsFault, e.secretsFault, e.headerFault, e.numbersFault, e.metaFault, e.stateFault} {
		if field, fault := check(); fault != "" {
			return fmt.Errorf("%w %s: %s: %s", ErrEndpoint, quote(e.ID), field, fault)
		}
	}
	return nil
}

// shown is a field with its value.
func shown(field, value string) string { return field + " " + quote(value) }

func (e *Endpoint) namesFault() (field, fault string) {
	if e.ID == "" {
		return "ID", "it is empty"
	}
	for _, f := range []struct {
		name, value string
		limit       int
	}{
		{"ID", e.ID, limit.Name}, {"Owner", e.Owner, limit.Name}, {"Name", e.Name, limit.Name}, {"Scheme", e.Scheme, limit.Name},
		{"Description", e.Description, limit.Reason},
	} {
		if fault := textFault(f.value, f.limit); fault != "" {
			return shown(f.name, f.value), fault
		}
	}
	return "", ""
}

// urlFault shows no part of the URL but scheme and host, since a path may be a secret.
func (e *Endpoint) urlFault() (field, fault string) {
	if fault := textFault(e.URL, maxURL); fault != "" {
		return "URL " + quote(e.origin()), fault
	}
	u, err := url.Parse(e.URL)
	switch {
	case err != nil:
		return "URL", "it cannot be parsed" // the error has all of it
	case u.Scheme == "" || u.Host == "":
		return "URL " + quote(e.origin()), "it has no scheme or no host"
	}
	return "", ""
}

func (e *Endpoint) eventsFault() (field, fault string) {
	if n := len(e.Events); n == 0 || n > maxEvents {
		return "Events", fmt.Sprintf("there are %d, 1 to %d are allowed", n, maxEvents)
	}
	for i, pattern := range e.Events {
		name := shown(fmt.Sprintf("Events[%d]", i), pattern)
		if fault := patternFault(pattern); fault != "" {
			return name, fault
		}
		if slices.Contains(e.Events[:i], pattern) {
			return name, "it is there twice"
		}
	}
	return "", ""
}

func (e *Endpoint) secretsFault() (field, fault string) {
	if n := len(e.Secrets); n > maxSecrets {
		return "Secrets", fmt.Sprintf("there are %d, at most %d are allowed", n, maxSecrets)
	}
	for i, s := range e.Secrets {
		name := fmt.Sprintf("Secrets[%d]", i)
		if n := len(s.Reveal()); n == 0 || n > maxSecret {
			return name, fmt.Sprintf("it has %d bytes, 1 to %d are allowed", n, maxSecret)
		}
		if fault := timeFault(s.Until, true); fault != "" {
			return name + ".Until " + s.Until.String(), fault
		}
	}
	return "", ""
}

// headerFault shows no value.
func (e *Endpoint) headerFault() (field, fault string) {
	size := 0
	for name, values := range e.Header {
		if !isToken(name) {
			return shown("Header", name), "it is no name of a header"
		}
		for _, v := range values {
			size += len(name) + len(v)
			if !isHeaderValue(v) {
				return shown("Header", name), "its value has a character that a header cannot have"
			}
		}
	}
	if size > maxHeader {
		return "Header", fmt.Sprintf("it has %d bytes, at most %d are allowed", size, maxHeader)
	}
	for name, values := range e.Header {
		if len(values) == 0 {
			return shown("Header", name), "it has no value"
		}
		if http.CanonicalHeaderKey(name) != name {
			return shown("Header", name), "its canonical form is " + http.CanonicalHeaderKey(name)
		}
	}
	return "", ""
}

func (e *Endpoint) numbersFault() (field, fault string) {
	switch {
	case math.IsNaN(e.Rate) || math.IsInf(e.Rate, 0) || e.Rate < 0:
		return fmt.Sprintf("Rate %v", e.Rate), "it must be zero or a positive number"
	case e.Lanes < 0 || e.Lanes > maxLanes:
		return fmt.Sprintf("Lanes %d", e.Lanes), fmt.Sprintf("it must be between 0 and %d", maxLanes)
	case e.MaxAttempts < 0 || e.MaxAttempts > maxAttempts:
		return fmt.Sprintf("MaxAttempts %d", e.MaxAttempts), fmt.Sprintf("it must be between 0 and %d", maxAttempts)
	}
	return "", ""
}

func (e *Endpoint) metaFault() (field, fault string) {
	size := 0
	for name, value := range e.Meta {
		size += len(name) + len(value)
		for _, s := range []string{name, value} {
			if fault := textFault(s, maxMeta); fault != "" {
				return shown("Meta", name), fault
			}
		}
	}
	if size > maxMeta {
		return "Meta", fmt.Sprintf("it has %d bytes, at most %d are allowed", size, maxMeta)
	}
	return "", ""
}

func (e *Endpoint) stateFault() (field, fault string) {
	if !slices.Contains([]State{Active, Paused, Disabled}, e.State) {
		return shown("State", string(e.State)), fmt.Sprintf("it must be %q, %q or %q", Active, Paused, Disabled)
	}
	for _, f := range []struct {
		name  string
		value time.Time
		zero  bool
	}{{"Since", e.Since, false}, {"Created", e.Created, false}, {"FailingSince", e.FailingSince, true}} {
		if fault := timeFault(f.value, f.zero); fault != "" {
			return f.name + " " + f.value.String(), fault
		}
	}
	return "", ""
}

// timeFault says why a time cannot be stored, and is empty if it can be. Zero says whether
// the zero time can be.
func timeFault(at time.Time, zero bool) string {
	switch {
	case at.IsZero() && zero:
		return ""
	case at.IsZero():
		return "it is the zero time"
	case at.Before(earliest) || at.After(latest):
		return "it is before 1970 or after the year 294246"
	}
	return ""
}
