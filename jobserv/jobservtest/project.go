package jobservtest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/pyjson"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A Hook is an entry of the list "webhooks" in the definition of a project.
type Hook struct {
	URL          string
	Secret       webhook.Secret // signs the calls; zero: JobServ makes none
	OnlyFailures bool           // no calls for builds that passed
}

// AddProject adds a project without builds, such as "acme/lmp". One that has the name is
// replaced, as if it had been removed and created again.
func (s *Server) AddProject(name string, hooks ...Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.projects == nil {
		s.projects = make(map[string]*project)
	}
	s.projects[name] = &project{name: name, hooks: hooks}
}

// RemoveProject removes a project with its builds.
func (s *Server) RemoveProject(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.projects, name)
}

// Rename gives a project and its builds another name, as somebody does who changes the
// database: the API has no request for it. The old name is not found any more.
func (s *Server) Rename(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(from)
	delete(s.projects, from)
	p.name = to
	for _, b := range p.builds {
		b.project = to
	}
	s.projects[to] = p
}

// Start adds a build, which is queued, and returns its number. It panics if there is no such
// project.
func (s *Server) Start(project string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(project, jobserv.Queued).id
}

// External adds a build that ran elsewhere. JobServ makes no call for it.
func (s *Server) External(project string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.add(project, jobserv.Passed)
	b.external = true
	return b.id
}

// FailBefore adds a build that failed before it began. Its only run is "build-failure", and
// JobServ makes no call for it.
func (s *Server) FailBefore(project string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.add(project, jobserv.Queued)
	b.run, b.failed = "build-failure", true
	b.add(jobserv.Failed, s.time().Add(3*time.Millisecond))
	return b.id
}

// RemoveBuild removes a build, as somebody does who changes the database: the API has no
// request for it. The number of the newest build is given again to the next one.
func (s *Server) RemoveBuild(project string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(project)
	removed := p.build(id)
	p.builds = slices.DeleteFunc(p.builds, func(b *build) bool { return b == removed })
}

// Finish ends a build that is queued or runs, with the status jobserv.Passed or
// jobserv.Failed, and calls the hooks of the project, one after the other. It returns the
// results of the calls when all have ended. It panics if there is no such build.
func (s *Server) Finish(ctx context.Context, project string, id int64, status jobserv.Status) []webhooktest.Result {
	s.mu.Lock()
	b := s.of(project).build(id)
	if b.status == jobserv.Queued {
		b.add(jobserv.Running, s.time())
	}
	b.add(status, s.time())
	at, err := url.Parse(s.base())
	if err != nil {
		panic("jobservtest: URL: " + err.Error())
	}
	body := pyjson.Append(nil, b.asJSON(*at, true))
	hooks := s.of(project).hooks
	s.mu.Unlock()
	var results []webhooktest.Result
	for _, h := range hooks {
		if h.Secret.IsZero() || h.OnlyFailures && status == jobserv.Passed {
			continue
		}
		sender := webhooktest.JobServ{Secret: h.Secret, Transport: s.Transport}
		results = append(results, sender.Deliver(ctx, h.URL, body))
	}
	return results
}

// Cancel cancels a build whose run is queued. JobServ makes no call for it.
func (s *Server) Cancel(project string, id int64) {
	s.change(project, id, func(b *build) { b.add(jobserv.Failed, s.time()) })
}

// Rerun queues the run of a complete build again.
func (s *Server) Rerun(project string, id int64) {
	s.change(project, id, func(b *build) { b.add(jobserv.Queued, s.time()) })
}

// Promote gives a complete build a name and an annotation.
func (s *Server) Promote(project string, id int64, name, annotation string) {
	s.change(project, id, func(b *build) { b.status, b.name, b.annotation = jobserv.Promoted, name, annotation })
}

// Describe sets the reason, the trigger and the annotation of a build. Empty ones are absent.
func (s *Server) Describe(project string, id int64, reason, trigger, annotation string) {
	s.change(project, id, func(b *build) { b.reason, b.trigger, b.annotation = reason, trigger, annotation })
}

func (s *Server) change(project string, id int64, f func(b *build)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.of(project).build(id))
}

// add adds a build whose first event has the status.
func (s *Server) add(project string, status jobserv.Status) *build {
	p := s.of(project)
	b := &build{project: project, id: 1, run: "build"}
	if n := len(p.builds); n > 0 {
		b.id = p.builds[n-1].id + 1
	}
	b.add(status, s.time())
	p.builds = append(p.builds, b)
	return b
}

// build returns a build.
func (p *project) build(id int64) *build {
	b := p.find(id)
	if b == nil {
		panic(fmt.Sprintf("jobservtest: there is no build %d of %s", id, p.name))
	}
	return b
}

// find returns the build with a number, nil if there is none.
func (p *project) find(id int64) *build {
	n, found := slices.BinarySearchFunc(p.builds, id, func(b *build, id int64) int { return cmp.Compare(b.id, id) })
	if !found {
		return nil
	}
	return p.builds[n]
}

// of returns a project.
func (s *Server) of(name string) *project {
	p := s.projects[name]
	if p == nil {
		panic("jobservtest: there is no project " + name)
	}
	return p
}

// time returns the time as the database stores it.
func (s *Server) time() time.Time {
	if s.WholeSeconds {
		return s.now().UTC().Round(time.Second)
	}
	return s.now().UTC().Truncate(time.Microsecond)
}

// base returns the address of the server in calls.
func (s *Server) base() string {
	if s.URL == "" {
		return "https://api.example.com"
	}
	return s.URL
}
