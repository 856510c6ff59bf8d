package main

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A bookPage is the comments with the form for another one.
type bookPage struct {
	Title    string
	Comments []comment
	Older    string // cursor of the next page; empty if there is none
	First    bool   // the page of the newest comments
	Thanks   bool
	Form     comment
	Faults   map[string]string // of the form, by field
}

// book serves a page of comments.
func (s *site) book(w http.ResponseWriter, r *http.Request) {
	page := bookPage{Form: comment{ID: newID()}, Thanks: r.URL.Query().Has("thanks")}
	s.renderBook(w, r, http.StatusOK, page)
}

func (s *site) renderBook(w http.ResponseWriter, r *http.Request, status int, page bookPage) {
	before, id, ok := parseCursor(r.URL.Query().Get("before"))
	if !ok {
		s.fail(w, http.StatusNotFound, "There is no such page of comments.")
		return
	}
	comments, more, err := s.comments.newest(r.Context(), before, id)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	page.Title, page.Comments, page.First = "Guestbook", comments, before.IsZero()
	if more {
		page.Older = cursor(comments[len(comments)-1])
	}
	s.render(w, status, "book.html", page)
}

// leave stores a comment, or shows the form again with its faults.
func (s *site) leave(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	one := comment{ID: field(r, "id"), Name: field(r, "name"), Text: field(r, "comment"), Time: time.Now()}
	if !isID(one.ID) {
		one.ID = newID()
	}
	if faults := one.validate(); len(faults) > 0 {
		s.renderBook(w, r, http.StatusUnprocessableEntity, bookPage{Form: one, Faults: faults})
		return
	}
	if err := s.comments.add(r.Context(), &one); err != nil {
		s.internalError(w, r, err)
		return
	}
	http.Redirect(w, r, "/?thanks", http.StatusSeeOther)
}

// cursor returns the text that a page begins after, and parseCursor reads it. Empty is the
// first page.
func cursor(last comment) string { return strconv.FormatInt(last.Time.UnixMicro(), 10) + "-" + last.ID }

func parseCursor(text string) (before time.Time, id string, ok bool) {
	if text == "" {
		return time.Time{}, "", true
	}
	at, id, _ := strings.Cut(text, "-")
	micros, err := strconv.ParseInt(at, 10, 64)
	return time.UnixMicro(micros), id, err == nil && isID(id)
}
