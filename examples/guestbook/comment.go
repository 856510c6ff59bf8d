package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// The limits of a comment, in characters.
const (
	maxName = 100
	maxText = 2000
)

// commentCreated is the type of the event of a comment.
const commentCreated = "comment.created"

// eventTypes are the types of all events that webhooks can get.
var eventTypes = []string{commentCreated}

// A comment is what a visitor has left.
type comment struct {
	ID   string // chosen by the form, so that a form that is sent twice is one comment
	Name string
	Text string
	Time time.Time // to the microsecond
}

// payload is the JSON that webhooks get.
type payload struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Comment string `json:"comment"`
	Time    int64  `json:"time"` // in seconds since 1970
}

func (c *comment) payload() payload { return payload{c.ID, c.Name, c.Text, c.Time.Unix()} }

// validate returns the faults of a comment by the field that has them.
func (c *comment) validate() map[string]string {
	faults := make(map[string]string)
	if fault := textFault(c.Name, maxName); fault != "" {
		faults["name"] = "Your name " + fault
	}
	if fault := textFault(c.Text, maxText); fault != "" {
		faults["comment"] = "Your comment " + fault
	}
	return faults
}

// textFault says what is wrong with a text of up to limit characters, and is empty if nothing
// is.
func textFault(text string, limit int) string {
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "is missing."
	case n > limit:
		return fmt.Sprintf("has %d characters. Up to %d are allowed.", n, limit)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
		return "has a character that cannot be shown."
	}
	return ""
}

func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// comments are stored in the database of the inbox, so that a comment and its event are
// committed together.
type comments struct {
	store     *store
	publisher *publish.Publisher
}

// newComments creates the table if it does not exist.
func newComments(ctx context.Context, store *store, publisher *publish.Publisher) (*comments, error) {
	create := func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS comments (
			id TEXT PRIMARY KEY, name TEXT NOT NULL, comment TEXT NOT NULL, at BIGINT NOT NULL)`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `CREATE INDEX IF NOT EXISTS comments_at ON comments (at, id)`)
		return err
	}
	var err error
	for range 3 { // if several processes create it at once, PostgreSQL fails all but one of them
		if err = store.Write(ctx, create); err == nil {
			break
		}
	}
	return &comments{store, publisher}, err
}

// add stores a comment and its event, or nothing if the comment is there already. Both are
// committed in one transaction: if the process ends in between, there is neither.
func (c *comments) add(ctx context.Context, one *comment) error {
	return c.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO comments (id, name, comment, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO NOTHING`, one.ID, one.Name, one.Text, one.Time.UnixMicro())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = c.publisher.PublishTx(ctx, tx, publish.Event{Type: commentCreated, Payload: one.payload()})
		return err
	})
}

// commentsPerPage is the number of comments on a page.
const commentsPerPage = 20

// newest returns a page of comments, newest first: those before the comment with the given
// time and ID, or the first ones if the time is zero. More reports whether there are older
// ones.
func (c *comments) newest(ctx context.Context, before time.Time, id string) (page []comment, more bool, err error) {
	at := before.UnixMicro()
	if before.IsZero() {
		at = time.Now().Add(time.Hour).UnixMicro() // the clock of another process may be ahead
	}
	rows, err := c.store.db.QueryContext(ctx, `SELECT id, name, comment, at FROM comments
		WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3`, at, id, commentsPerPage+1)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var one comment
		if err := rows.Scan(&one.ID, &one.Name, &one.Text, &at); err != nil {
			return nil, false, err
		}
		one.Time = time.UnixMicro(at).UTC()
		page = append(page, one)
	}
	if len(page) > commentsPerPage {
		page, more = page[:commentsPerPage], true
	}
	return page, more, errors.Join(rows.Err(), rows.Close())
}

// newID returns a random ID of 26 letters and digits.
func newID() string { return rand.Text() }

// isID reports whether text can be an ID of newID.
func isID(text string) bool {
	return len(text) == 26 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
