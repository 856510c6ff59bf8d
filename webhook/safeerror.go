package webhook

import "errors"

// A safeError wraps an error of code that is not ours. It stores the error's text
// and recovers panics of the error's methods. Without it, an error such as a typed
// nil pointer would end the process far from the code that returned it.
type safeError struct {
	err  error
	text string
}

func (s *safeError) Error() string { return s.text }

// Is asks the wrapped error.
func (s *safeError) Is(target error) bool {
	return s.ask(func(err error) bool { return errors.Is(err, target) })
}

// As asks the wrapped error.
func (s *safeError) As(target any) bool {
	return s.ask(func(err error) bool { return errors.As(err, target) })
}

// ask returns question(err), or false if that panics.
func (s *safeError) ask(question func(error) bool) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return question(s.err)
}

// toSafe returns err as a safeError, or a PanicError if one of its methods panics.
func toSafe(err error) (safe error) {
	if err == nil {
		return nil
	}
	defer recoverTo(&safe)
	switch e := err.(type) {
	case *safeError:
		return e
	case *DuplicateError:
		_ = *e // has no methods of other code, but may be nil
		return e
	}
	s := &safeError{err: err, text: err.Error()}
	// Ask now everything that is asked later, to see whether it panics.
	_, _, _, _, _ = StatusCode(err), IsPermanent(err), isMalformed(err), isOutOfOrder(err), stackOf(err)
	if known, ok := errors.AsType[*DuplicateError](err); ok {
		_ = *known
	}
	return s
}

// original returns the error that toSafe was given.
func original(err error) error {
	if s, ok := err.(*safeError); ok {
		return s.err
	}
	return err
}
