package jobserv

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// older asks for the open builds that are older than what was listed. One that cannot be read
// stays open. After several in a row for which the server fails, the others have their turn in
// the next look.
func (s *sight) older(ctx context.Context) error {
	for _, id := range s.at.open {
		if id >= s.lowest {
			break
		}
		if id <= s.asked {
			continue
		}
		if err := s.ask(ctx, id); err != nil {
			return err
		}
		s.asked = id
	}
	s.t.answered()
	return nil
}

// ask asks for one. It returns the errors that end the look.
func (s *sight) ask(ctx context.Context, id int64) error {
	switch {
	case s.c.isGivenUp(id, s.oldest()):
		s.c.gone(id)
		return nil
	case s.stopped || s.t.skips(id):
		s.keep(id)
		return nil
	}
	b, _, err := s.c.client.build(ctx, s.c.project, id)
	switch {
	case err == nil:
		s.t.read(id)
		return s.collect(ctx, []Build{b}, false)
	case ctx.Err() != nil || errors.Is(err, ErrRateLimited):
		return err
	case isRemoved(err):
		s.t.answered()
		s.c.gone(id)
	default:
		s.keep(id)
		err = s.t.failed(ctx, id, err, false)
		if s.stopped = err != nil; s.stopped && !s.t.ofServer() {
			s.found.err = err
		}
	}
	return nil
}

// keep keeps an open build open.
func (s *sight) keep(id int64) {
	s.found.running = append(s.found.running, id)
	for key, o := range s.c.open {
		if o.id == id {
			s.found.listed[key] = true
		}
	}
}

// isRemoved reports whether JobServ says that there is no such build (JobServ: jsend.py,
// get_or_404). A proxy without a server answers 404 too.
func isRemoved(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusNotFound && strings.HasPrefix(status.Message, "Object does not exist")
}
