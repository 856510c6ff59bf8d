package webhook

import (
	"context"
	"errors"
)

// Cursors is an Inbox that keeps how far the catch-up of a sender has come, beside the
// deliveries that it has found. All methods are safe for concurrent use, also by several
// processes that share a database. Package inboxtest states what Cursors promises as
// tests.
//
// A cursor is a name and a value. The program chooses the names, and the inbox does not
// interpret the values. Set a cursor only when all up to it is stored: a process that ends
// between the two then finds something again, which is a duplicate, and skips nothing.
//
//   - A name has 1 to 255 bytes, and a value at most 1 KiB. Both are UTF-8 without NUL.
//     Others are refused with a permanent error; see [IsPermanent].
//   - An empty value means that there is no cursor.
//   - An inbox may refuse the ten thousandth cursor and those after it, with
//     [ErrOverloaded].
//   - Sweep and Discard delete no cursors.
type Cursors interface {
	// Cursor returns the value of a cursor, empty if there is none. It includes the effect of
	// every SetCursor that returned before the call.
	Cursor(ctx context.Context, name string) (string, error)

	// SetCursor changes the value of a cursor from one value to another.
	//
	//   - If the value is neither from nor to, SetCursor changes nothing and returns
	//     [ErrCursorMoved]: another process has set it. Of several calls with the same from
	//     and different values, one succeeds. Read the cursor again, and do not overwrite it
	//     with less.
	//   - If the value is to already, SetCursor changes nothing and returns nil. So a caller
	//     that got no answer can call it again.
	//   - If from is empty, there must be no cursor. If to is empty, the cursor is deleted.
	SetCursor(ctx context.Context, name, from, to string) error
}

// ErrCursorMoved is the error of [Cursors] if a cursor has another value than the caller
// expects. Test with [errors.Is].
var ErrCursorMoved = errors.New("webhook: the cursor has another value")

// A Knower is an Inbox that can say which dedup keys it knows, so that a catch-up asks the
// sender only for what is missing. Its method is safe for concurrent use.
type Knower interface {
	// Known reports for each of the dedup keys whether a delivery of the Source with that
	// key has been stored within the inbox's window. Its state does not matter, and it may
	// have been deleted since. The result has the length of keys and includes the effect of
	// every Put that returned before the call. More than 1 000 keys are an error.
	Known(ctx context.Context, source string, keys []string) ([]bool, error)
}
