package webhook

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// A PanicError is a recovered panic. [Recover], Receiver and Worker return it for
// a panic of a Handler, and for a panic of a method of the error that the Handler
// returned, such as a typed nil pointer. errors.Is(err, [ErrPanic]) holds, and no
// other sentinel matches, whatever the value: a panic with [ErrDuplicate] is not a
// success. The text of a PanicError contains the value but not the stack.
type PanicError struct {
	Value any
	Stack []byte
}

// Error contains the value, which is the panicking code's own.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrPanic, e.Value) }

// Is reports whether target is [ErrPanic].
func (e *PanicError) Is(target error) bool { return target == ErrPanic }

// recoverTo recovers a panic of the func that defers it, and makes it that func's
// error.
func recoverTo(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// goexitError returns the error of code that called runtime.Goexit instead of
// returning, as t.FailNow of package testing does.
func goexitError() error {
	return &PanicError{Value: "runtime.Goexit was called"}
}

// stackOf returns the stack of a panic, empty if err is not one.
func stackOf(err error) string {
	if p, ok := errors.AsType[*PanicError](err); ok {
		return string(p.Stack)
	}
	return ""
}
