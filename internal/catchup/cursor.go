package catchup

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxCursorName is that of [webhook.Cursors].
	maxCursorName = 255
	// saveTries bounds how often a cursor is written while other processes write it.
	saveTries = 4
)

// A Cursor keeps how far a catch-up has come, a text that the provider chooses. Its errors
// match [ErrInbox].
type Cursor struct {
	Inbox webhook.Cursors
	Name  string // the Source, the server and the target
}

// Check returns an error if the name is too long. It names both lengths.
func (c Cursor) Check() error {
	if len(c.Name) > maxCursorName {
		return fmt.Errorf("the name of its cursor has %d bytes, over %d", len(c.Name), maxCursorName)
	}
	return nil
}

// Load returns the stored text, empty if there is none.
func (c Cursor) Load(ctx context.Context) (string, error) {
	text, err := c.Inbox.Cursor(ctx, c.Name)
	if err != nil {
		return "", fmt.Errorf("%w: read the cursor: %w", ErrInbox, err)
	}
	return text, nil
}

// Save changes the stored text from one to another. Call it when all up to the position that
// "to" stands for is in the inbox.
//
// If another process has changed the cursor, Save calls merge with what is stored. It returns
// the text of the position that regards both, which is then saved in place of it: one that is
// not behind what is stored, and leaves out nothing that either has still open. Save returns
// the text that is stored now. If others change it again and again, it gives up without an
// error and ok is false: the next round reads what they have stored.
func (c Cursor) Save(ctx context.Context, from, to string, merge func(stored string) string) (text string, ok bool, err error) {
	for range saveTries {
		if to == from {
			return to, true, nil
		}
		err := c.Inbox.SetCursor(ctx, c.Name, from, to)
		if err == nil {
			return to, true, nil
		}
		if !errors.Is(err, webhook.ErrCursorMoved) {
			return "", false, fmt.Errorf("%w: write the cursor: %w", ErrInbox, err)
		}
		if from, err = c.Load(ctx); err != nil {
			return "", false, err
		}
		to = merge(from)
	}
	return "", false, nil
}
