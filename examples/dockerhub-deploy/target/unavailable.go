package target

import (
	"strings"
	"time"
)

// An Unavailable is an error that says nothing about the image or the target: the registry
// or the engine did not answer, the registry limits how often it is asked, or it denies the
// image.
type Unavailable struct {
	Err     error
	Limited bool
	// Denied means that the registry has answered, and gives out no image before somebody
	// changes something: the credentials are wrong, or there is no image for this platform.
	Denied bool
	After  time.Duration // that the registry asks for; zero means none
}

func (u *Unavailable) Error() string { return u.Err.Error() }
func (u *Unavailable) Unwrap() error { return u.Err }

// Wait returns how long to wait for what has been unavailable for the time age: the interval
// at first and ten times as long later, or 60 times if it is denied. What is limited is not
// asked for 60 intervals, or as long as the registry says.
func (u *Unavailable) Wait(interval, age time.Duration) time.Duration {
	longest := 10 * interval
	switch {
	case u.After > 0:
		return u.After
	case u.Limited:
		return 60 * interval
	case u.Denied:
		longest = 60 * interval
	}
	return min(max(interval, age/2), longest)
}

// pullDenials are what docker pull prints if the registry denies an image. The words are
// those of the errors that registries answer,
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes, and
// of the engine. Each has a space, which no name of an image has.
var pullDenials = []string{
	"401 unauthorized", "403 forbidden", "http 401 response", "http 403 response", "http 404 response",
	": unauthorized", ": denied", "access denied", "access to the resource is denied", "authentication required", "authorization failed", "no basic auth credentials",
	"manifest unknown", "name unknown", "no matching manifest for ", "no match for platform in manifest",
}

// unavailable returns the error of a docker pull.
func unavailable(err error) *Unavailable {
	text := strings.ToLower(err.Error())
	u := &Unavailable{Err: err, Limited: strings.Contains(text, "toomanyrequests") || strings.Contains(text, "429 too many requests")}
	for _, words := range pullDenials {
		u.Denied = u.Denied || !u.Limited && strings.Contains(text, words)
	}
	return u
}
