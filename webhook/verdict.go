package webhook

import (
	"context"
	"errors"
	"runtime/debug"
)

// A verdict wraps an error of foreign code. It keeps the error's text, and contains
// the panics of its methods: those of a typed nil pointer, for example, would
// otherwise end the process far from where it was returned.
type verdict struct {
	err  error
	text string
}

func (v *verdict) Error() string { return v.text }

// Is answers for the error.
func (v *verdict) Is(target error) bool {
	return v.ask(func(err error) bool { return errors.Is(err, target) })
}

// As answers for the error.
func (v *verdict) As(target any) bool {
	return v.ask(func(err error) bool { return errors.As(err, target) })
}

// ask asks about the error. The answer is no if that panics.
func (v *verdict) ask(question func(error) bool) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return question(v.err)
}

// judge returns err as a verdict, or as a PanicError if one of its methods panics.
func judge(err error) (safe error) {
	if err == nil {
		return nil
	}
	defer contained(&safe)
	switch e := err.(type) {
	case *verdict:
		return e
	case *DuplicateError:
		_ = *e // has no foreign methods, but may be nil
		return e
	}
	v := &verdict{err: err, text: err.Error()}
	// Ask now what is asked later, to see whether it panics.
	_, _, _, _ = StatusCode(err), IsPermanent(err), isMalformed(err), stackOf(err)
	if known, ok := errors.AsType[*DuplicateError](err); ok {
		_ = *known
	}
	return v
}

// original returns the error that was judged, as it came.
func original(err error) error {
	if v, ok := err.(*verdict); ok {
		return v.err
	}
	return err
}

// contained makes a panic of the func that defers it the error of that func.
func contained(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// judged calls h, contains its panic, and judges its error.
func judged(ctx context.Context, h Handler, d *Delivery) (err error) {
	defer contained(&err)
	return judge(h.Handle(ctx, d))
}

// safely is judged for callers that are the user's own: it returns the error as
// it came, unless one of its methods panicked.
func safely(ctx context.Context, h Handler, d *Delivery) error {
	return original(judged(ctx, h, d))
}

// exited is the error of a Handler that called runtime.Goexit, as t.FailNow of
// package testing does.
func exited() error {
	return &PanicError{Value: "it ended its goroutine"}
}
